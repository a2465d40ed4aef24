/*
 * What leaves the page, by functions taken before the sketch could replace them, and short: Node reads it
 * as one message. It checks all of this again.
 */
platen.safely = (() => {
  const { apply } = Reflect;
  const { keys } = Object;
  const { stringify } = JSON;
  const { isFinite } = Number;
  const textOf = String;
  const sliceOf = String.prototype.slice;
  const { toBlob } = HTMLCanvasElement.prototype;
  const getter = (name) => Object.getOwnPropertyDescriptor(HTMLCanvasElement.prototype, name).get;
  const widthGetter = getter('width');
  const heightGetter = getter('height');

  const FEATURES = 100;
  const FEATURE_LENGTH = 1_000;
  const LINES = 100;
  const LINE_LENGTH = 2_000;

  const slice = (text, from, to) => apply(sliceOf, text, [from, to]);
  const cut = (value, length = LINE_LENGTH) => slice(textOf(value), 0, length);

  /** JSON of a feature: of an object the beginning of its JSON, as a text; undefined of what says nothing. */
  function feature(value) {
    if (typeof value === 'boolean' || (typeof value === 'number' && isFinite(value))) return textOf(value);
    if (typeof value === 'string' || typeof value === 'bigint') return stringify(cut(value, FEATURE_LENGTH));
    const json = typeof value === 'object' && value !== null ? jsonOf(value) : undefined;
    return typeof json === 'string' ? stringify(cut(json, FEATURE_LENGTH)) : undefined;
  }

  function jsonOf(value) {
    try {
      return stringify(value);
    } catch {
      // It holds itself, or refuses.
    }
  }

  /** JSON by hand, text by text: `stringify` of an object would ask the sketch's own `toJSON`. */
  function object(record = {}) {
    const names = keys(record);
    let json = '';
    for (let index = 0; index < names.length && index < FEATURES; index++) {
      const name = names[index];
      const value = feature(record[name]);
      if (value !== undefined) json += `${json && ','}${stringify(cut(name, FEATURE_LENGTH))}:${value}`;
    }
    return `{${json}}`;
  }

  function list(lines) {
    let json = '';
    for (let index = 0; index < lines.length && index < LINES; index++) {
      json += `${json && ','}${stringify(cut(lines[index]))}`;
    }
    return `[${json}]`;
  }

  return {
    slice,
    cut,
    widthOf: (canvas) => apply(widthGetter, canvas, []),
    heightOf: (canvas) => apply(heightGetter, canvas, []),
    /** Throws for all but a canvas element. */
    saveAs: (canvas, type, quality, onSaved) => apply(toBlob, canvas, [onSaved, type, quality]),
    /** The outcome as JSON text of some megabytes at most. */
    report({ fault, message = '', width = 0, height = 0, features }, lines) {
      const why = fault ? `"fault":${stringify(fault)},"message":${stringify(cut(message))},` : '';
      return `{${why}"width":${width},"height":${height},"features":${object(features)},"logs":${list(lines)}}`;
    },
  };
})();
