// @ts-check
// The process that scripts run in: one at a time, told by its parent, gone when its parent is.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { runScript } from './run-script.mjs';

/**
 * @typedef {import('./script-protocol.js').ScriptRequest} ScriptRequest
 * @typedef {import('./script-protocol.js').ScriptMessage} ScriptMessage
 */

const watchdog = new Worker(new URL('./watchdog.mjs', import.meta.url), { env: {}, workerData: process.argv[2] });
const watching = once(watchdog, 'message');

/**
 * @param {ScriptMessage} message
 * @returns {Promise<void>} when it is written out: the script may block this thread right after
 */
const send = (message) => new Promise((resolve) => process.send?.(message, () => resolve()));

process.on('disconnect', () => process.exit());
// The parent may have died while this file was being loaded: nobody tells of that any more.
if (!process.connected) process.exit();
// Ctrl-C reaches the whole process group; when to stop is the parent's decision.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('message', async (/** @type {ScriptRequest} */ request) => {
  const run = request.entry === 'jq' ? await jq() : runScript;
  await send(await run(request, () => send('started')));
});

/** Loaded when it is first needed: most processes never see a jq program. */
const jq = async () => (await import('../jq/run-jq.mjs')).runJq;

await runScript(
  { code: '', entry: 'function_body', globals: '{}', timeMs: 1_000, memoryBytes: 0 },
  async () => {},
);
// Before any script can block this thread: the watchdog's start needs it.
await watching;
await send('ready');
