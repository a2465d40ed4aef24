import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { tokenName, type Token, type TokenFile } from './token.js';

/** TZIP-21 rich metadata of a token of which there is one. */
export function tzip21Metadata({ image, thumbnail, animation, traits, ...token }: Token): JsonObject {
  const artifact = animation ?? image;
  const shown = image ?? animation;
  const files = [artifact, image, thumbnail].filter((file, i, all) => file !== null && all.indexOf(file) === i);
  return {
    name: tokenName(token),
    description: token.description,
    decimals: 0,
    isBooleanAmount: true,
    ...(artifact && { artifactUri: artifact.uri }),
    ...(shown && { displayUri: shown.uri, thumbnailUri: (thumbnail ?? shown).uri }),
    formats: (files as TokenFile[]).map(formatOf),
    attributes: traits.map(({ trait_type, value }) => ({ name: trait_type, value: String(value) })),
  };
}

function formatOf({ uri, mimeType, size, width, height }: TokenFile): JsonObject {
  return {
    uri,
    mimeType,
    fileSize: size,
    ...(width && height && { dimensions: { value: `${width}x${height}`, unit: 'px' } }),
  };
}
