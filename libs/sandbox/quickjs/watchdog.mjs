// @ts-check
import { parentPort } from 'node:worker_threads';

/** @type {NodeJS.Timeout | undefined} */
let timer;

// Beside the script's thread, which a long native operation can block beyond any interrupt: should the
// parent die in such a moment, no one else would be left to stop this process.
parentPort?.on('message', (/** @type {number | null} */ limitMs) => {
  clearTimeout(timer);
  if (limitMs !== null) timer = setTimeout(() => process.kill(process.pid, 'SIGKILL'), limitMs);
});
