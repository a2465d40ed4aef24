// @ts-check
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { loadJq } from 'jq-wasm';

/**
 * @typedef {import('../quickjs/script-protocol.js').ScriptRequest} ScriptRequest
 * @typedef {import('../quickjs/script-protocol.js').ScriptOutcome} ScriptOutcome
 */

const { WebAssembly } = /** @type {any} */ (globalThis);
const wasmModule = await WebAssembly.compile(
  readFileSync(createRequire(import.meta.url).resolve('jq-wasm/jq.wasm')),
);
// What the module has to say when it breaks off is no concern of the parent's console.
Object.assign(console, { error: () => {} });
const WASM_PAGE = 64 * 1024;
/** Answers of other services hold whole images, as base64. */
const MAX_JSON_BYTES = 24 * 1024 ** 2;
const MAX_MESSAGE = 1_000;
const MAX_LOGS = 100;

/**
 * Runs a jq program over `globals.input`; other globals are its variables. The result is the list of what it
 * gives. An instance of its own for each run, whose memory has a cap: it knows no file and no environment.
 * @param {ScriptRequest} request
 * @param {() => Promise<void>} onStart called when the program's time is about to begin
 * @returns {Promise<ScriptOutcome>}
 */
export async function runJq({ code, globals, memoryBytes }, onStart) {
  const memory = new CappedMemory(Math.ceil(memoryBytes / WASM_PAGE));
  const jq = await loadJq({ instantiateWasm: (imports, onSuccess) => memory.instantiate(imports, onSuccess) });
  const { input = null, ...variables } = JSON.parse(globals);
  const flags = Object.entries(variables).flatMap(([name, value]) => ['--argjson', name, JSON.stringify(value)]);
  await onStart();
  try {
    // Behind a blank, no program is taken for an option.
    const { stdout, stderr, exitCode } = jq.raw(JSON.stringify(input), ` ${code}`, ['-c', ...flags]);
    if (memory.isFull) return { logs: [], failure: MEMORY_FAILURE };
    const logs = stderr.split('\n').filter(Boolean).slice(-MAX_LOGS);
    if (exitCode !== 0) return { logs: [], failure: { reason: 'error', message: messageOf(stderr) } };
    if (Buffer.byteLength(stdout) > MAX_JSON_BYTES) return { logs, failure: SIZE_FAILURE };
    return { logs, json: `[${stdout.trim().split('\n').filter(Boolean).join(',')}]` };
  } catch (error) {
    const message = `jq broke off: ${String(error).slice(0, MAX_MESSAGE)}`;
    return { logs: [], failure: memory.isFull ? MEMORY_FAILURE : { reason: 'error', message } };
  }
}

/** @type {NonNullable<ScriptOutcome['failure']>} */
const MEMORY_FAILURE = { reason: 'memory_limit', message: 'The jq program ran out of memory' };
/** @type {NonNullable<ScriptOutcome['failure']>} */
const SIZE_FAILURE = { reason: 'result', message: `The result is larger than ${MAX_JSON_BYTES / 1024 ** 2} MiB` };

/** The memory is the module's own, and asks this object whenever it wants to grow. */
class CappedMemory {
  isFull = false;

  /** @param {number} maxPages */
  constructor(maxPages) {
    this.maxPages = maxPages;
  }

  /**
   * @param {object} imports
   * @param {(instance: any, module: any) => void} onSuccess
   */
  instantiate(imports, onSuccess) {
    WebAssembly.instantiate(wasmModule, imports).then((/** @type {any} */ instance) => {
      const memory = Object.values(instance.exports).find((part) => part instanceof WebAssembly.Memory);
      const grow = memory.grow.bind(memory);
      memory.grow = (/** @type {number} */ pages) => {
        this.isFull = memory.buffer.byteLength / WASM_PAGE + pages > this.maxPages;
        if (this.isFull) throw new RangeError('The memory is full');
        return grow(pages);
      };
      onSuccess(instance, wasmModule);
    });
  }
}

/**
 * jq's own words, without what they say of the command line.
 * @param {string} stderr
 */
function messageOf(stderr) {
  const lines = stderr.split('\n').filter((line) => line && !/^jq: \d+ compile errors?$/.test(line));
  const text = lines.join('\n').replace(/^jq: error(?: \(at [^)]*\))?(?: \(not a string\))?: /gm, '');
  return text.replace(/ at <top-level>, line \d+, column \d+:?/g, '').trim().slice(0, MAX_MESSAGE) || 'It failed';
}
