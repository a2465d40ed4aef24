/*
 * What p5 needs of us, set on its prototype as soon as the library is there, be it ours or the sketch's:
 * seeded `random()` and `noise()`, a default canvas of the window's size, and word of every frame drawn.
 */
platen.watchP5 = ({ hash, renderer, createsCanvas }, { withRandom }) => {
  const sketches = new Map();
  const random = platen.random.stream(hash, 'p5 random');
  const noise = platen.random.stream(hash, 'p5 noise');
  let onFrame = () => {};

  function wrap(prototype, name, around) {
    const original = prototype[name];
    if (typeof original !== 'function') return;
    prototype[name] = function (...values) {
      return around.call(this, original, values);
    };
  }

  function seed(prototype) {
    // Both fall back on `Math.random` until the sketch seeds them itself.
    wrap(prototype, 'random', function (original, values) {
      return withRandom(random, () => original.apply(this, values));
    });
    wrap(prototype, 'noise', function (original, values) {
      return withRandom(noise, () => original.apply(this, values));
    });
  }

  function fitCanvas(prototype) {
    wrap(prototype, 'createCanvas', function (original, values) {
      const [, , kind, ...rest] = values;
      const isDefault = this._millisStart === -1 && values[0] === 100 && values[1] === 100;
      if (isDefault && !createsCanvas) return original.call(this, innerWidth, innerHeight, prototype[renderer]);
      if (kind === undefined && renderer === 'WEBGL') values = [values[0], values[1], prototype.WEBGL, ...rest];
      return original.apply(this, values);
    });
  }

  function followFrames(prototype) {
    wrap(prototype, '_initializeInstanceVariables', function (original, values) {
      if ('_setupDone' in this) sketches.set(this, 0);
      return original.apply(this, values);
    });
    wrap(prototype, 'redraw', function (original, values) {
      const ignored = this._inUserDraw || !this._setupDone;
      const drawn = original.apply(this, values);
      if (ignored) return drawn;
      const count = () => {
        sketches.set(this, (sketches.get(this) ?? 0) + 1);
        onFrame();
      };
      if (typeof drawn?.then === 'function') return drawn.then(count);
      count();
    });
  }

  function prepare(library) {
    if (typeof library !== 'function') return;
    library.disableFriendlyErrors = true;
    seed(library.prototype);
    fitCanvas(library.prototype);
    followFrames(library.prototype);
  }

  let library = window.p5;
  prepare(library);
  // A library that is there already as a global `var` can be neither trapped nor replaced.
  const trappable = Object.getOwnPropertyDescriptor(window, 'p5')?.configurable ?? true;
  const trap = {
    get: () => library,
    set: (value) => {
      if (value !== library) prepare(value);
      library = value;
    },
    configurable: true,
    enumerable: true,
  };
  if (trappable) Object.defineProperty(window, 'p5', trap);

  return {
    onFrame: (listener) => {
      onFrame = listener;
    },
    inUse: () => sketches.size > 0,
    drewOnce: () => [...sketches.values()].every((frames) => frames > 0),
    stopped: () => [...sketches.keys()].some((sketch) => sketch._loop === false),
    /** The main canvases, unlike those of createGraphics. */
    canvases: () => [...sketches.keys()].map((sketch) => sketch.canvas).filter(Boolean),
  };
};
