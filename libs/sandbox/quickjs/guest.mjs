// @ts-check
// Runs inside QuickJS before each script, as plain JavaScript that never sees Node: gives the script its
// names, its randomness and its console, and turns its result into what may leave.

/**
 * @typedef {object} Host
 * @property {string} globals JSON text of the names the script can read
 * @property {string} seeds JSON text of `{ mathRandom, random }`, or of null
 * @property {(line: string) => void} log
 */

const scope = /** @type {Record<string, any>} */ (globalThis);
const host = /** @type {Host} */ (scope.host);
delete scope.host;

const { stringify } = JSON;
const LOG_LINE = 1_000;

/** sfc32, number for number as `libs/instruction-set/random.ts` draws it. */
function stream(/** @type {number[]} */ seed) {
  let [a = 0, b = 0, c = 0, d = 0] = seed;
  return () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return (t >>> 0) / 4294967296;
  };
}

/** @returns {never} */
function noChance() {
  throw new Error('This script has no randomness');
}

/** @returns {never} */
function noClock() {
  throw new Error('This script has no clock');
}

/** Dates can still be computed with; only asking for the time throws. */
function removeClock() {
  const clockless = new Proxy(Date, {
    apply: noClock,
    construct: (target, values, caller) =>
      values.length > 0 ? Reflect.construct(target, values, caller) : noClock(),
  });
  Date.now = noClock;
  Date.prototype.constructor = clockless;
  scope.Date = clockless;
}

function textOf(/** @type {unknown} */ value) {
  if (typeof value === 'string') return value;
  try {
    return stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

function log(/** @type {unknown[]} */ ...values) {
  // A text ends at U+0000 on its way out.
  host.log(values.map(textOf).join(' ').slice(0, LOG_LINE).replaceAll('\0', '\ufffd'));
}

/**
 * What leaves the sandbox: an ArrayBuffer for bytes, else JSON text.
 * @param {unknown} value
 */
export function deliver(value) {
  if (value instanceof ArrayBuffer) return value;
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)).buffer;
  }
  const text = stringify(value === undefined ? null : value);
  if (text === undefined) throw new TypeError(`a ${typeof value} is not JSON`);
  return text;
}

Object.assign(scope, JSON.parse(host.globals));
scope.console = { log, info: log, warn: log, error: log, debug: log };
const seeds = JSON.parse(host.seeds);
if (seeds) {
  Math.random = stream(seeds.mathRandom);
  scope.random = stream(seeds.random);
} else {
  Math.random = noChance;
  removeClock();
}
