/* The names a published fxhash sketch finds: `$fx` and the older globals. */
platen.defineFxhash = ({ hash, variables, isPreview }) => {
  const minter = `tz1${platen.random.text(platen.random.stream(hash, 'fxhash minter'), 33)}`;
  const rand = platen.random.fxhashStream(hash);
  const minterHash = `oo${minter}${minter}`.slice(0, 51);
  let features = {};
  let definitions = [];
  const values = {};

  const DRAWS = {
    number: ({ min = 0, max = 1, step }, next) => {
      const value = min + next() * (max - min);
      return step ? Math.min(max, min + Math.round((value - min) / step) * step) : value;
    },
    bigint: ({ min = 0, max = 2 ** 32 }, next) => BigInt(Math.floor(Number(min) + next() * Number(max - min))),
    boolean: (_, next) => next() < 0.5,
    color: (_, next) => Array.from({ length: 8 }, () => Math.floor(next() * 16).toString(16)).join(''),
    string: ({ minLength = 0, maxLength = 8 }, next) =>
      platen.random.text(next, minLength + Math.floor(next() * (maxLength - minLength + 1))),
    select: ({ options }, next) => options[Math.floor(next() * options.length)],
    bytes: ({ length = 0 }, next) => Uint8Array.from({ length }, () => Math.floor(next() * 256)),
  };

  /** The collection's variable of that name, else the parameter's default, else one that its type allows. */
  function rawValue({ id, type, options = {}, default: preset }) {
    if (Object.hasOwn(variables, id)) return type === 'bigint' ? BigInt(variables[id]) : variables[id];
    return preset ?? DRAWS[type]?.(options, platen.random.stream(hash, `fxhash parameter ${id}`));
  }

  /** A colour in all the forms fxhash offers. */
  function color(value) {
    const rgba = String(value).replace('#', '').padEnd(8, 'f').slice(0, 8).toLowerCase();
    const [r, g, b, byte] = rgba.match(/../g).map((pair) => parseInt(pair, 16));
    const a = Math.round((byte / 255) * 100) / 100;
    return {
      hex: { rgb: `#${rgba.slice(0, 6)}`, rgba: `#${rgba}` },
      obj: { rgb: { r, g, b }, rgba: { r, g, b, a } },
      arr: { rgb: [r, g, b], rgba: [r, g, b, a] },
    };
  }

  const transform = (id) => {
    const definition = definitions.find((each) => each.id === id);
    return definition?.type === 'color' ? color(values[id]) : values[id];
  };
  const all = (value) => Object.fromEntries(definitions.map(({ id }) => [id, value(id)]));

  const $fx = {
    hash,
    rand,
    minter,
    randminter: platen.random.fxhashStream(minterHash),
    iteration: 1,
    context: 'capture',
    isPreview,
    preview: platen.capture,
    captureFrame: platen.capture,
    features: (given) => {
      features = { ...given };
    },
    getFeature: (name) => features[name],
    getFeatures: () => features,
    params: (given) => {
      definitions = [...given];
      for (const definition of definitions) values[definition.id] = rawValue(definition);
    },
    getParam: transform,
    getParams: () => all(transform),
    getRawParam: (id) => values[id],
    getRawParams: () => all((id) => values[id]),
    getDefinitions: () => definitions,
    createFxRandom: (seed) => platen.random.fxhashStream(seed),
    on: () => () => {},
    emit: () => {},
  };

  Object.assign(window, {
    $fx,
    fxhash: hash,
    fxrand: rand,
    fxpreview: platen.capture,
    fxminter: minter,
    fxiteration: 1,
    isFxpreview: isPreview,
  });
  // A page that brings fxhash's own snippet calls for its capture by this event.
  window.addEventListener('fxhash-preview', () => platen.capture());

  /** What the sketch said of itself, the older way included. */
  return () => ({ ...window.$fxhashFeatures, ...window.$fx?.getFeatures?.() });
};
