/* What else differs between machines and runs: the random sources of the browser and facts of the host. */
platen.surround = ({ hash, pixelDensity }) => {
  const math = platen.random.stream(hash, 'math');
  let source = math;
  Math.random = () => source();

  const bits = platen.random.stream(hash, 'crypto');
  Crypto.prototype.getRandomValues = (array) => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let index = 0; index < bytes.length; index++) bytes[index] = Math.floor(bits() * 256);
    return array;
  };
  Crypto.prototype.randomUUID = () => {
    const hex = Array.from({ length: 32 }, () => Math.floor(bits() * 16).toString(16));
    hex[12] = '4';
    hex[16] = '89ab'[Math.floor(bits() * 4)];
    return hex.join('').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  };

  const fix = (owner, name, value) => Object.defineProperty(owner, name, { get: () => value, configurable: true });
  fix(window, 'devicePixelRatio', pixelDensity);
  fix(Navigator.prototype, 'hardwareConcurrency', 4);
  fix(Navigator.prototype, 'deviceMemory', 8);
  // Where the page has been before: with which editions depends on the worker.
  fix(History.prototype, 'length', 1);
  fix(window, 'navigation', undefined);

  return {
    /** Runs `action` with another source behind `Math.random`. */
    withRandom(other, action) {
      const before = source;
      source = other;
      try {
        return action();
      } finally {
        source = before;
      }
    },
  };
};
