import { UNTITLED } from './token.js';

/** ERC-7572: what `contractURI()` of the collection's contract leads to. */
export interface ContractMetadata {
  name: string;
  description: string;
  image?: string;
}

/** Its picture is the cover, or `firstImage` where there is none. */
export const contractMetadata = (
  collection: { title: string | null; description: string | null; cover_image_url: string | null },
  firstImage: string | null,
): ContractMetadata => {
  const image = collection.cover_image_url ?? firstImage;
  return {
    name: collection.title ?? UNTITLED,
    description: collection.description ?? '',
    ...(image !== null && { image }),
  };
};
