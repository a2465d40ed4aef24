import { setTimeout as delay } from 'node:timers/promises';
import type { Tracepoint } from '#libs/tracepoints/tracepoints.js';
import { untilCalm } from '../harness/calm.js';
import { Load, type Work } from '../harness/load.js';
import type { Scenario } from '../harness/scenario.js';
import type { Storm } from '../harness/storm.js';
import { WORKS } from '../harness/works.js';

/** Only more editions of a collection are written in several statements. */
const IN_TRANSACTION: Tracepoint = 'submission.before-commit';
const POINTS: Tracepoint[] = [
  'submission.before-check', 'submission.before-write', IN_TRANSACTION, 'submission.after-commit',
  'submission.before-dispatch', 'submission.after-dispatch', 'submission.before-answer',
];
const VICTIMS_AT_ONCE = 3;
const DEATH_MS = 10_000;
const DISPATCH_MS = 10_000;
const DRAIN_MS = 60_000;

export const crashSubmission: Scenario = {
  name: 'crash-submission',
  promise: 'The API dies at any point of a submission: what was accepted is soon made, what was not leaves nothing.',

  async run(storm) {
    const steady = await storm.town.startApis(1);
    await storm.town.startWorkers(2);
    const load = await Load.of(storm, () => steady);
    const work = await load.store(WORKS[0] ?? []);
    const times = storm.sized(100, 2);
    const deaths = Array.from({ length: times }, () => POINTS).flat();
    for (let from = 0; from < deaths.length; from += VICTIMS_AT_ONCE) {
      await Promise.all(deaths.slice(from, from + VICTIMS_AT_ONCE).map((point) => dieAt(storm, load, work, point)));
    }
    await untilCalm(storm, DRAIN_MS);
    for (const point of POINTS) storm.mustReach(`APIs killed at ${point}`, times);
    storm.mustReach('generations completed', deaths.length);
    await tellDispatch(storm);
  },
};

/** One client, one key: the API it calls first dies, the next one answers. */
async function dieAt(storm: Storm, load: Load, work: Work, point: Tracepoint): Promise<void> {
  const made = point === IN_TRANSACTION ? await load.submit(work) : null;
  const victim = await storm.town.api(storm.crashAt(point));
  if (made) await load.submitMore(made, 1, victim);
  else await load.submit(work, 1, victim);
  const died = await Promise.race([victim.program.exited.then(() => true), delay(DEATH_MS, false)]);
  if (died) storm.did(`APIs killed at ${point}`);
  else await victim.program.end('SIGKILL');
}

/** By Postgres's clock: from the commit of the job to the first step of its generation. */
async function tellDispatch(storm: Storm): Promise<void> {
  const [row] = await storm.town.query<{ worst: number | null }>(
    `select max(extract(epoch from g.started_at - j.created_at))::float8 as worst
       from generation g join job j on j.id = g.job_id`,
  );
  storm.figure('acceptance to start, at most', row?.worst ?? Infinity, 's', DISPATCH_MS / 1_000);
}
