import type { Trait } from '#libs/nodes/node.js';

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

/** A finished edition as a token: from here on it is only words for the standards. */
export interface Token {
  /** From 1: its id on the chain. */
  number: number;
  collectionTitle: string;
  description: string;
  traits: Trait[];
  /** What is looked at without playing it. */
  image: TokenFile | null;
  /** What is played: a video, a sound; or a file of another kind where there is no image. */
  animation: TokenFile | null;
}

export const UNTITLED = 'Untitled';

export const tokenName = ({ collectionTitle, number }: Pick<Token, 'collectionTitle' | 'number'>): string =>
  `${collectionTitle} #${number}`;
