import type { Refusal } from './refusals.js';

const RERENDER = 'POST /assets/:id/rerender';

/** What stands against making a file again. */
export const PROVENANCE_REFUSALS: Refusal[] = [
  { route: RERENDER, outcome: '409 NOT_REPEATABLE', at: ({ tenant }) => ({ id: tenant.upload.id }) },
  {
    route: RERENDER,
    outcome: '402 INSUFFICIENT_CREDITS',
    as: ({ poor }) => poor,
    at: ({ poorAssetId }) => ({ id: poorAssetId }),
  },
  {
    route: RERENDER,
    outcome: '429 TOO_MANY_INFLIGHT',
    as: ({ busy }) => busy,
    at: ({ busyAssetId }) => ({ id: busyAssetId }),
  },
];
