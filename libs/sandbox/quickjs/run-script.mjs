// @ts-check
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { newQuickJSWASMModuleFromVariant, newVariant, RELEASE_SYNC } from 'quickjs-emscripten';
import { enterScript } from './enter-script.mjs';
import { failureOf, resultOf, unwrap } from './script-outcome.mjs';

/**
 * @typedef {import('quickjs-emscripten').QuickJSContext} Context
 * @typedef {import('quickjs-emscripten').QuickJSHandle} Handle
 * @typedef {import('./script-protocol.js').ScriptRequest} ScriptRequest
 * @typedef {import('./script-protocol.js').ScriptOutcome} ScriptOutcome
 */

const GUEST = readFileSync(new URL('./guest.mjs', import.meta.url), 'utf8');
const { WebAssembly } = /** @type {any} */ (globalThis);
// Compiled once, not with each instance: 3 ms a run instead of 20. The file is a dependency's dependency.
const wasmModule = await WebAssembly.compile(
  readFileSync(
    createRequire(import.meta.resolve('quickjs-emscripten')).resolve(
      '@jitl/quickjs-wasmfile-release-sync/wasm',
    ),
  ),
);
const WASM_PAGE = 64 * 1024;
/** The module is linked with this many pages (16 MiB) and starts with no fewer. */
const FIRST_PAGES = 256;
/** About 4,800 calls deep. The process is started with a stack that holds as much. */
const STACK_BYTES = 1_000_000;
const MAX_LOGS = 100;

/** The time that scripts see, where sketches' time begins. It stands still: they have no frames that could move it. */
const EPOCH = Date.UTC(2024, 0, 1);
// QuickJS asks this process for the time, so that no path in the guest leads to the real clock.
Date.now = () => EPOCH;

/**
 * One run in a WASM instance of its own, which is dropped afterwards and never disposed: a broken
 * instance aborts on dispose. The cap is on its whole memory, since QuickJS cannot count its allocations
 * in WASM and overshoots its own limit many times over.
 * @param {ScriptRequest} request
 * @param {() => Promise<void>} onStart called when the script's time is about to begin
 * @returns {Promise<ScriptOutcome>}
 */
export async function runScript(request, onStart) {
  const pages = Math.max(FIRST_PAGES, Math.ceil(request.memoryBytes / WASM_PAGE));
  const wasmMemory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: pages });
  const quickjs = await newQuickJSWASMModuleFromVariant(newVariant(RELEASE_SYNC, { wasmModule, wasmMemory }));
  const vm = quickjs.newContext();
  await onStart();
  const isLate = setLimits(vm, request);
  /** @type {string[]} */
  const logs = [];
  try {
    const deliver = prepareGuest(vm, request, logs);
    const result = resultOf(vm, deliver, enterScript(vm, request));
    // An async function can swallow its interruption and end as if all were well.
    return isLate() ? { logs, failure: lateFailure(request) } : { logs, ...result };
  } catch (error) {
    if (isLate()) return { logs, failure: lateFailure(request) };
    // The last step of growth may have been too large to take.
    const isMemoryFull = wasmMemory.buffer.byteLength >= 0.9 * pages * WASM_PAGE;
    return { logs, failure: failureOf(error, isMemoryFull) };
  }
}

/**
 * @param {Context} vm
 * @param {ScriptRequest} request
 * @returns {() => boolean} whether the script had to be interrupted
 */
function setLimits(vm, { timeMs, cpuMs = Infinity }) {
  const end = performance.now() + timeMs;
  const cpuEnd = cpuTime() + cpuMs;
  let isLate = false;
  vm.runtime.setMaxStackSize(STACK_BYTES);
  vm.runtime.setInterruptHandler(() => (isLate ||= performance.now() > end || cpuTime() > cpuEnd));
  return () => isLate;
}

/** Milliseconds that this process has had. */
function cpuTime() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** @param {ScriptRequest} request */
const lateFailure = ({ timeMs, cpuMs = timeMs }) =>
  /** @type {const} */ ({ reason: 'time_limit', message: `The script ran longer than ${cpuMs} ms` });

/**
 * Runs the guest's own part, before anything of the script.
 * @param {Context} vm
 * @param {ScriptRequest} request
 * @param {string[]} logs
 * @returns {Handle} its `deliver`
 */
function prepareGuest(vm, { globals, seeds }, logs) {
  const log = vm.newFunction('log', (line) => {
    if (logs.push(vm.getString(line)) > MAX_LOGS) logs.shift();
  });
  const host = vm.newObject();
  vm.setProp(host, 'log', log);
  vm.setProp(host, 'globals', vm.newString(globals));
  vm.setProp(host, 'seeds', vm.newString(JSON.stringify(seeds ?? null)));
  vm.setProp(vm.global, 'host', host);
  const guest = unwrap(vm, vm.evalCode(GUEST, 'guest.js', { type: 'module' }));
  return vm.getProp(guest, 'deliver');
}
