// @ts-check
// Beside the script's thread, which a script blocks: should the parent die in such a moment, no one else
// would be left to stop this process before the script's own time is over.
import { parentPort, workerData } from 'node:worker_threads';

const LOOK_MS = 500;
/** As the parent gave it: whoever looked only now could find the one that adopts orphans. */
const parent = Number(workerData);

const look = () => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
};
look();
setInterval(look, LOOK_MS);
parentPort?.postMessage('watching');
