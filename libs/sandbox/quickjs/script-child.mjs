// @ts-check
// The process that scripts run in: one at a time, told by its parent, gone when its parent is.
import { Worker } from 'node:worker_threads';
import { runScript } from './run-script.mjs';

/**
 * @typedef {import('./script-protocol.js').ScriptRequest} ScriptRequest
 * @typedef {import('./script-protocol.js').ScriptMessage} ScriptMessage
 */

const ORPHAN_GRACE_MS = 1_000;
const watchdog = new Worker(new URL('./watchdog.mjs', import.meta.url), { env: {} });

/**
 * @param {ScriptMessage} message
 * @returns {Promise<void>} when it is written out: the script may block this thread right after
 */
const send = (message) => new Promise((resolve) => process.send?.(message, () => resolve()));

process.on('disconnect', () => process.exit());
// Ctrl-C reaches the whole process group; when to stop is the parent's decision.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('message', async (/** @type {ScriptRequest} */ request) => {
  const outcome = await runScript(request, () => {
    watchdog.postMessage(request.timeMs + ORPHAN_GRACE_MS);
    return send('started');
  });
  watchdog.postMessage(null);
  await send(outcome);
});

await runScript(
  { code: '', entry: 'function_body', globals: '{}', timeMs: 1_000, memoryBytes: 0 },
  async () => {},
);
await send('ready');
