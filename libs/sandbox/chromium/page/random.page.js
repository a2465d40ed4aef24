/*
 * Streams of random numbers, the same as libs/instruction-set/random.ts draws in Node (a test compares):
 * one per name, seeded by SHA-256(hash + ':' + name), so that drawing from one moves no other.
 */
platen.random = (() => {
  const BASE58 = '123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ';

  /** sfc32 (Chris Doty-Humphrey, PractRand), as in fxhash's snippet. */
  function sfc32(a, b, c, d) {
    return () => {
      a |= 0;
      b |= 0;
      c |= 0;
      d |= 0;
      const t = (((a + b) | 0) + d) | 0;
      d = (d + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (c << 21) | (c >>> 11);
      c = (c + t) | 0;
      return (t >>> 0) / 4294967296;
    };
  }

  const stream = (hash, name) => sfc32(...platen.sha256(`${hash}:${name}`));

  /** Four seeds as fxhash reads them: 12 base58 characters each with 32-bit wrap, or 16 hex digits each. */
  function fxhashSeeds(hash) {
    const digits = hash.slice(2);
    const length = digits.length >> 2;
    const chunks = [0, 1, 2, 3].map((index) => digits.slice(index * length, (index + 1) * length));
    if (hash.startsWith('0x')) return chunks.map((chunk) => Number(BigInt(`0x${chunk}`) % 0xffffffffn));
    return chunks.map((chunk) => [...chunk].reduce((sum, digit) => (sum * 58 + BASE58.indexOf(digit)) | 0, 0));
  }

  /** fxhash's own numbers for a hash. `reset` goes back to the first. */
  function fxhashStream(hash) {
    let next = sfc32(...fxhashSeeds(hash));
    const draw = () => next();
    draw.reset = () => {
      next = sfc32(...fxhashSeeds(hash));
    };
    return draw;
  }

  const text = (next, length) =>
    Array.from({ length }, () => BASE58[Math.floor(next() * BASE58.length)]).join('');

  return { stream, fxhashStream, text };
})();
