// @ts-check
// Beside the script's thread, which a script blocks: should the parent die in such a moment, no one else
// would be left to stop this process before the script's own time is over.
import { parentPort } from 'node:worker_threads';

const LOOK_MS = 500;
const parent = process.ppid;

setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, LOOK_MS);
parentPort?.postMessage('watching');
