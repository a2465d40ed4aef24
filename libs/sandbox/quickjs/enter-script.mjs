// @ts-check
import { ScriptFailure, unwrap } from './script-outcome.mjs';

/**
 * @typedef {import('quickjs-emscripten').QuickJSContext} Context
 * @typedef {import('quickjs-emscripten').QuickJSHandle} Handle
 * @typedef {import('./script-protocol.js').ScriptRequest} ScriptRequest
 */

const FILE = 'script.js';
const JOBS_AT_ONCE = 1_000;

/**
 * Runs the script in the way its `entry` says and waits for what it promises.
 * @param {Context} vm
 * @param {ScriptRequest} request
 * @returns {Handle}
 */
export function enterScript(vm, { entry, code }) {
  if (entry === 'compute_cost') return settle(vm, computeCost(vm, code));
  if (entry === 'expression') return settle(vm, unwrap(vm, vm.evalCode(`(${code}\n)`, FILE)));
  return settle(vm, functionBody(vm, code));
}

/**
 * @param {Context} vm
 * @param {string} code
 */
function computeCost(vm, code) {
  unwrap(vm, vm.evalCode(code, FILE));
  const found = vm.evalCode('computeCost', FILE);
  if (found.error || vm.typeof(found.value) !== 'function') {
    throw new ScriptFailure('error', 'The script does not define a function computeCost(context)');
  }
  return call(vm, found.value, vm.getProp(vm.global, 'context'));
}

/**
 * Which of the two forms the code has, its syntax tells: no function body has an `export`.
 * @param {Context} vm
 * @param {string} code
 */
function functionBody(vm, code) {
  // On one line with its wrapper, so that errors name the script's own lines.
  const body = vm.evalCode(`(async function () {${code}\n})`, FILE);
  if (!body.error) return call(vm, body.value);
  if (/\bexport\b/.test(code)) return defaultExport(vm, code);
  return unwrap(vm, body);
}

/**
 * @param {Context} vm
 * @param {string} code
 */
function defaultExport(vm, code) {
  const namespace = settle(vm, unwrap(vm, vm.evalCode(code, FILE, { type: 'module' })));
  const value = vm.getProp(namespace, 'default');
  return vm.typeof(value) === 'function' ? call(vm, value, names(vm)) : value;
}

/**
 * The argument of an exported function: what it can also read by name.
 * @param {Context} vm
 */
function names(vm) {
  const argument = vm.newObject();
  for (const name of ['inputs', 'variables', 'hash', 'random']) {
    vm.setProp(argument, name, vm.getProp(vm.global, name));
  }
  return argument;
}

/**
 * @param {Context} vm
 * @param {Handle} func
 * @param {Handle[]} values
 */
const call = (vm, func, ...values) => unwrap(vm, vm.callFunction(func, vm.undefined, ...values));

/**
 * Runs pending jobs until the promise settles. With no job left it never will: nothing comes from outside.
 * @param {Context} vm
 * @param {Handle} promise any value
 * @returns {Handle}
 */
function settle(vm, promise) {
  for (;;) {
    const state = vm.getPromiseState(promise);
    if (state.type === 'fulfilled') return state.value;
    if (state.type === 'rejected') return unwrap(vm, state);
    const ran = vm.runtime.executePendingJobs(JOBS_AT_ONCE);
    if (ran.error) unwrap(vm, ran);
    else if (ran.value === 0)
      throw new ScriptFailure('error', 'The script awaits a promise that never settles');
  }
}
