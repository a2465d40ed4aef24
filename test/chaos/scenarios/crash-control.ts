import { setTimeout as delay } from 'node:timers/promises';
import type { Tracepoint } from '#libs/tracepoints/tracepoints.js';
import type { Api } from '../../e2e/processes.js';
import { busyStep } from '../../e2e/pipelines.js';
import type { Program } from '../../e2e/program.js';
import { untilCalm } from '../harness/calm.js';
import { Load, type Work } from '../harness/load.js';
import type { Scenario } from '../harness/scenario.js';
import type { Storm } from '../harness/storm.js';

const CANCELS: Tracepoint[] = ['cancel.before-commit', 'cancel.after-commit'];
const HANDBACKS: Tracepoint[] = ['handback.before', 'handback.after'];
const WORKERS = 2;
const DEATH_MS = 10_000;
const HOLD_MS = 30_000;
const DRAIN_MS = 120_000;
/** Some seconds: long enough to be cancelled, or handed back, in the middle. */
const SLOW = [busyStep('one', 10), busyStep('two', 10, { a: { $ref: 'one' } })];

export const crashControl: Scenario = {
  name: 'crash-control',
  promise: 'The API dies in a cancel, a worker while it hands its work back: the next one finds it done, or does it.',

  async run(storm) {
    const [steady] = await storm.town.startApis(1);
    if (!steady) return;
    const load = await Load.of(storm, () => [steady]);
    const work = await load.store(SLOW);
    const times = storm.sized(50, 2);
    for (let count = 0; count < times; count++) {
      // Nobody else works yet: the worker that is to die is the one that takes it.
      for (const point of HANDBACKS) await dieHandingBack(storm, load, work, point);
    }
    await storm.town.startWorkers(WORKERS);
    for (let count = 0; count < times; count++) {
      for (const point of CANCELS) await dieCancelling(storm, load, work, { point, steady });
    }
    await untilCalm(storm, DRAIN_MS);
    for (const point of [...CANCELS, ...HANDBACKS]) storm.mustReach(`died at ${point}`, times);
    storm.mustReach('generations completed', times);
    storm.mustReach('generations cancelled', times);
  },
};

/** Told to stop without any grace, it has to hand back what it is in the middle of. */
async function dieHandingBack(storm: Storm, load: Load, work: Work, point: Tracepoint): Promise<void> {
  const { job_id: jobId } = await load.submit(work);
  const worker = await storm.town.worker({ ...storm.crashAt(point), SHUTDOWN_GRACE_MS: '0' });
  await untilRunning(storm, jobId);
  worker.signal('SIGTERM');
  await countDeath(storm, worker, point);
}

async function untilRunning({ town }: Storm, jobId: string): Promise<void> {
  const deadline = Date.now() + HOLD_MS;
  const sql = `select from step_run s join generation g on g.id = s.generation_id
                where s.status = 'running' and g.job_id = $1`;
  while (Date.now() < deadline && (await town.query(sql, [jobId])).length === 0) await delay(50);
}

/** Asked again, the next API says that it is done now, or that it was done before. */
async function dieCancelling(
  storm: Storm,
  load: Load,
  work: Work,
  { point, steady }: { point: Tracepoint; steady: Api },
): Promise<void> {
  const victim = await storm.town.api(storm.crashAt(point));
  const receipt = await load.submit(work);
  const path = `/jobs/${receipt.job_id}/cancel`;
  const user = load.ownerOf(receipt);
  await user.at(victim).request('POST', path).catch(() => storm.did('cancels cut off'));
  const { status, text } = await user.at(steady).request('POST', path);
  if (status >= 300 && status !== 409) storm.fault(`A repeated cancel was answered ${status}: ${text.slice(0, 300)}`);
  await countDeath(storm, victim.program, point);
}

async function countDeath(storm: Storm, program: Program, point: Tracepoint): Promise<void> {
  const died = await Promise.race([program.exited.then(() => true), delay(DEATH_MS, false)]);
  if (died) storm.did(`died at ${point}`);
  else await program.end('SIGKILL');
}
