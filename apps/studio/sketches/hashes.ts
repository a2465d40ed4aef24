const BASE58 = '123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ';
const LENGTH = 49;
/** Bytes from here on would make the first letters likelier than the others. */
const FAIR_BELOW = 256 - (256 % BASE58.length);

/** A new edition's hash: `oo` and 49 characters of base58. */
export function newHash(): string {
  let body = '';
  while (body.length < LENGTH) {
    const [byte = 0] = crypto.getRandomValues(new Uint8Array(1));
    if (byte < FAIR_BELOW) body += BASE58[byte % BASE58.length];
  }
  return `oo${body}`;
}

/** So many, the first of them given. */
export const hashesFrom = (first: string, count: number): string[] =>
  [first, ...Array.from({ length: count - 1 }, newHash)];
