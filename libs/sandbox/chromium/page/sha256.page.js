/* SHA-256 (FIPS 180-4), because crypto.subtle only answers later and a sketch's first line needs its numbers. */
platen.sha256 = (() => {
  const fraction = (root) => ((root - Math.floor(root)) * 2 ** 32) | 0;
  const primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime)) primes.push(n);
  const START = primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
  const ROUND = primes.map((prime) => fraction(Math.cbrt(prime)));
  const turn = (word, bits) => (word >>> bits) | (word << (32 - bits));

  /** The message as big-endian words: a one bit and zeros to a whole block, its length in bits at the end. */
  function pad(bytes) {
    const words = new Int32Array((((bytes.length + 8) >> 6) + 1) * 16);
    bytes.forEach((byte, index) => (words[index >> 2] |= byte << (24 - (index % 4) * 8)));
    words[bytes.length >> 2] |= 0x80 << (24 - (bytes.length % 4) * 8);
    words[words.length - 1] = bytes.length * 8;
    return words;
  }

  function schedule(block) {
    const w = new Int32Array(64);
    w.set(block);
    for (let i = 16; i < 64; i++) {
      const s0 = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ (w[i - 15] >>> 3);
      const s1 = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ (w[i - 2] >>> 10);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    return w;
  }

  function compress(state, block) {
    const w = schedule(block);
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
      const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND[i] + w[i]) | 0;
      const s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
    }
    return [a, b, c, d, e, f, g, h].map((word, index) => (word + state[index]) | 0);
  }

  /** The first 128 bits of the digest of UTF-8 text, as four unsigned words: what seeds a stream. */
  return (text) => {
    const words = pad(new TextEncoder().encode(text));
    let state = START;
    for (let at = 0; at < words.length; at += 16) state = compress(state, words.subarray(at, at + 16));
    return state.slice(0, 4).map((word) => word >>> 0);
  };
})();
