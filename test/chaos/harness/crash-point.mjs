// `node --import` of this file ends the process, as `kill -9` does, just when it comes to a point of the
// road (libs/tracepoints): CRASH_POINT is JSON, made by `CrashPoints`. What happened is told by a line in
// a file, since the process itself has no time left.
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';

const { point, nth, jobsIn, hitsIn } = JSON.parse(process.env.CRASH_POINT);
let passed = 0;

subscribe(`platen:${point}`, ({ jobId }) => {
  if (jobsIn !== undefined && !isMarked(jobId)) return;
  passed += 1;
  if (passed < nth) return;
  appendFileSync(hitsIn, `${point}\n`);
  process.kill(process.pid, 'SIGKILL');
});

/** Only these jobs are poison. */
function isMarked(jobId) {
  return existsSync(jobsIn) && readFileSync(jobsIn, 'utf8').split('\n').includes(jobId);
}
