import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { Trait } from '#libs/nodes/node.js';
import { tokenName, type Token } from './token.js';

/** A trait of this name is the page's colour, not an attribute. */
const BACKGROUND = 'background_color';
/** As people write a colour; OpenSea takes it without the #. */
const COLOUR = /^#?([0-9a-f]{6})$/i;

/** ERC-721 metadata JSON (which ERC-1155 shares) with the fields that OpenSea adds. */
export function erc721Metadata(token: Token): JsonObject {
  const colour = backgroundOf(token.traits);
  return {
    name: tokenName(token),
    description: token.description,
    ...(token.image && { image: token.image.uri }),
    ...(token.animation && { animation_url: token.animation.uri }),
    ...(colour && { background_color: colour }),
    attributes: token.traits.filter((trait) => !colour || trait.trait_type !== BACKGROUND).map(attributeOf),
  };
}

/** Numbers are shown as such, not as names; OpenSea knows no booleans. */
function attributeOf({ trait_type, value }: Trait): JsonObject {
  if (typeof value === 'number') return { trait_type, value, display_type: 'number' };
  return { trait_type, value: String(value) };
}

function backgroundOf(traits: Trait[]): string | undefined {
  const value = traits.find(({ trait_type }) => trait_type === BACKGROUND)?.value;
  return typeof value === 'string' ? COLOUR.exec(value)?.[1]?.toLowerCase() : undefined;
}
