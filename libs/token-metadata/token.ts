import type { AssetRow } from '#libs/assets/asset-row.js';
import type { CollectionRow } from '#libs/collections/collection.js';
import type { Trait } from '#libs/nodes/node.js';
import type { FileAddress } from './file-address.js';
import { stillOf, thumbnailOf, type TokenMedia } from './token-media.js';

/** A file that a token's metadata name. */
export interface TokenFile {
  /** Where it is, or will be. */
  uri: string;
  mimeType: string;
  /** Bytes. */
  size: number;
  width: number | null;
  height: number | null;
}

/** A finished edition as a token: what the standards put into their words. */
export interface Token {
  /** From 1: its id on the chain. */
  number: number;
  collectionTitle: string;
  description: string;
  traits: Trait[];
  /** What is looked at without playing it. */
  image: TokenFile | null;
  /** The same, small; null: there is none where the files are. */
  thumbnail: TokenFile | null;
  /** What is played: a video, a sound; or a file of another kind where there is no image. */
  animation: TokenFile | null;
}

export const UNTITLED = 'Untitled';

export const tokenName = ({ collectionTitle, number }: Pick<Token, 'collectionTitle' | 'number'>): string =>
  `${collectionTitle} #${number}`;

/** The edition with this number, its files at these addresses. */
export function tokenOf(
  { title, description }: Pick<CollectionRow, 'title' | 'description'>,
  { number, traits, media }: { number: number; traits: Trait[]; media: TokenMedia },
  address: FileAddress,
): Token {
  const file = (row: AssetRow | null) => {
    const uri = row && address(row, number);
    return row && uri !== null ? tokenFile(row, uri) : null;
  };
  return {
    number,
    collectionTitle: title ?? UNTITLED,
    description: description ?? '',
    traits,
    image: file(stillOf(media)),
    thumbnail: file(thumbnailOf(media)),
    animation: file(media.animation),
  };
}

const tokenFile = ({ mime_type, size, width, height }: AssetRow, uri: string): TokenFile => ({
  uri, mimeType: mime_type, size: Number(size), width, height,
});
