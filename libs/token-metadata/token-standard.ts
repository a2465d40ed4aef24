import type { Blockchain } from '#libs/collections/collection-metadata.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { erc721Metadata } from './erc721.js';
import { tzip21Metadata } from './tzip21.js';
import type { Token } from './token.js';

export const TOKEN_STANDARDS = ['erc721', 'erc1155', 'tzip21'] as const;
export type TokenStandard = (typeof TOKEN_STANDARDS)[number];

/** What a marketplace of the chain expects. */
export const standardOf = (blockchain: Blockchain | null): TokenStandard =>
  blockchain === 'TEZOS' ? 'tzip21' : 'erc721';

export const metadataOf = (standard: TokenStandard, token: Token): JsonObject =>
  standard === 'tzip21' ? tzip21Metadata(token) : erc721Metadata(token);

/** `7.json`; for ERC-1155 what clients put for `{id}`: 64 lower-case hex digits without 0x. */
export const metadataFileName = (standard: TokenStandard, number: number): string =>
  `${standard === 'erc1155' ? erc1155Id(number) : number}.json`;

export const erc1155Id = (number: number): string => number.toString(16).padStart(64, '0');
