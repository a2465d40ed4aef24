// @ts-check

/**
 * @typedef {import('quickjs-emscripten').QuickJSContext} Context
 * @typedef {import('quickjs-emscripten').QuickJSHandle} Handle
 * @typedef {NonNullable<import('./script-protocol.js').ScriptOutcome['failure']>} Failure
 */

const MAX_JSON_BYTES = 4 * 1024 ** 2;
const MAX_BYTES = 16 * 1024 ** 2;
const MAX_MESSAGE = 1_000;

/** Why a script gave no result. */
export class ScriptFailure extends Error {
  /**
   * @param {Failure['reason']} reason
   * @param {string} message
   */
  constructor(reason, message) {
    super(message);
    this.reason = reason;
  }
}

/**
 * The value, or the guest's exception thrown as a ScriptFailure.
 * @param {Context} vm
 * @param {{ value: Handle } | { error: Handle }} result
 * @returns {Handle}
 */
export function unwrap(vm, result) {
  if (!('error' in result) || !result.error) return /** @type {{ value: Handle }} */ (result).value;
  throw guestFailure(vm, result.error);
}

/**
 * @param {Context} vm
 * @param {Handle} thrown
 */
function guestFailure(vm, thrown) {
  if (vm.typeof(thrown) !== 'object' || vm.sameValue(thrown, vm.null)) {
    return new ScriptFailure('error', `${vm.getString(thrown)} was thrown`);
  }
  const [name, message, stack] = ['name', 'message', 'stack'].map((property) =>
    vm.getString(vm.getProp(thrown, property)),
  );
  const line = /script\.js:(\d+)/.exec(stack ?? '')?.[1];
  const reason = name === 'InternalError' && message === 'out of memory' ? 'memory_limit' : 'error';
  return new ScriptFailure(reason, `${name}: ${message}${line ? ` (line ${line})` : ''}`);
}

/**
 * What goes back to the parent for whatever was thrown. A script that fills its memory is told so in many
 * ways: an error, a bare `null`, a trap of the WASM instance.
 * @param {unknown} error
 * @param {boolean} isMemoryFull
 * @returns {Failure}
 */
export function failureOf(error, isMemoryFull) {
  if (error instanceof ScriptFailure) {
    const isBareNull = isMemoryFull && error.message === 'null was thrown';
    if (error.reason === 'memory_limit' || isBareNull) return MEMORY_FAILURE;
    return { reason: error.reason, message: error.message.slice(0, MAX_MESSAGE) };
  }
  if (error instanceof RangeError) return { reason: 'error', message: 'The script recurses too deeply' };
  return isMemoryFull ? MEMORY_FAILURE : { reason: 'error', message: 'The script broke its sandbox' };
}

/** @type {Failure} */
const MEMORY_FAILURE = { reason: 'memory_limit', message: 'The script ran out of memory' };

/**
 * @param {Context} vm
 * @param {Handle} deliver of the guest
 * @param {Handle} value
 * @returns {{ json: string } | { bytes: string }}
 */
export function resultOf(vm, deliver, value) {
  const delivered = vm.callFunction(deliver, vm.undefined, value);
  if (delivered.error) {
    const { reason, message } = guestFailure(vm, delivered.error);
    throw new ScriptFailure(reason === 'error' ? 'result' : reason, `The result is not JSON: ${message}`);
  }
  if (vm.typeof(delivered.value) !== 'string') {
    const { value: bytes } = vm.getArrayBuffer(delivered.value);
    refuseOver(MAX_BYTES, bytes.byteLength);
    return { bytes: Buffer.from(bytes).toString('base64') };
  }
  // Counted in the guest first: only what can fit is copied out.
  refuseOver(MAX_JSON_BYTES, vm.getNumber(vm.getProp(delivered.value, 'length')));
  const json = vm.getString(delivered.value);
  refuseOver(MAX_JSON_BYTES, Buffer.byteLength(json));
  return { json };
}

/**
 * @param {number} limit
 * @param {number} size
 */
function refuseOver(limit, size) {
  if (size > limit) throw new ScriptFailure('result', `The result is larger than ${limit / 1024 ** 2} MiB`);
}
