import type { Hindrances } from './hindrances.js';
import type { Refusal } from './refusals.js';

const collection = ({ tenant }: Hindrances) => ({ id: tenant.collectionId });

/** What is wrong to ask about the tokens that a collection becomes. */
export const TOKEN_REFUSALS: Refusal[] = [
  {
    route: 'GET /collections/:id/metadata',
    outcome: '400 VALIDATION_ERROR',
    at: collection,
    query: () => '?format=rar&standard=erc20&images_uri=images',
  },
  {
    route: 'POST /collections/:id/distribution',
    outcome: '400 VALIDATION_ERROR',
    at: collection,
    body: () => ({ hashes: 1_001 }),
  },
];
