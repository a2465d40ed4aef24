import { randomInt } from 'node:crypto';

/** fxhash's base58: lower case before upper case (facts: fxhash `packages/utils/src/hash.ts`). */
const BASE58 = '123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ';
const BODY_LENGTH = 49;
const HASH = new RegExp(`^(o[op][${BASE58}]{${BODY_LENGTH}}|0x[0-9a-f]{64})$`);

/** A new edition's hash: `oo` and 49 characters of base58, the Tezos shape, on every chain. */
export function generateHash(): string {
  const body = Array.from({ length: BODY_LENGTH }, () => BASE58[randomInt(BASE58.length)]);
  return `oo${body.join('')}`;
}

/** Whether a custom hash is one: the Tezos shape, or `0x` and 64 lower-case hex digits. */
export const isHash = (text: string): boolean => HASH.test(text);
