import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { keepBusy } from '../harness/busy.js';
import { untilCalm } from '../harness/calm.js';
import { Load, type Work } from '../harness/load.js';
import type { Scenario } from '../harness/scenario.js';
import { percentile, type Storm } from '../harness/storm.js';
import { WORKS } from '../harness/works.js';

const WORKERS = 3;
const OPEN = 30;
const DRAIN_MS = 120_000;
/** Work on Postgres alone goes on by the workers' own looks. */
const PROGRESS_MS = 15_000;

export const redisAway: Scenario = {
  name: 'redis-away',
  promise: 'Redis loses everything, or is gone: whatever is submitted is accepted and made all the same.',
  backends: ['redis'],

  async run(storm) {
    const apis = await storm.town.startApis(2);
    const load = await Load.of(storm, () => apis);
    await storm.town.startWorkers(WORKERS);
    const work = await load.store(WORKS[0] ?? []);
    let over = false;
    const busy = keepBusy(storm, load, { open: OPEN, most: 3, isOver: () => over });
    const waits: number[] = [];
    for (const harm of planOf(storm)) {
      await delay(storm.random('pauses').integer(500, 3_000));
      if (harm === 'flush') await flush(storm);
      else await killFor(storm, harm, () => timedSubmission(load, work, waits));
    }
    over = true;
    await busy;
    await untilCalm(storm, DRAIN_MS);
    storm.mustReach('FLUSHALL', storm.sized(10, 2));
    storm.mustReach('Redis killed', storm.sized(20, 3));
    storm.mustReach('submissions accepted while Redis was away', storm.sized(100, 5));
    storm.mustReach('generations completed', storm.sized(200, 20));
    storm.figure('submission while Redis is away p99', percentile(waits, 0.99), 'ms', storm.sized(500, null));
  },
};

type Harm = 'flush' | number;

/** Flushes and outages of so many milliseconds, in a random order; full, two of the outages last 40 s. */
function planOf(storm: Storm): Harm[] {
  const random = storm.random('outages');
  const short = Array.from({ length: storm.sized(18, 3) }, () => random.integer(1_000, storm.sized(15_000, 5_000)));
  const flushes = Array.from({ length: storm.sized(10, 2) }, (): Harm => 'flush');
  const plan: Harm[] = [...short, ...storm.sized([40_000, 40_000], []), ...flushes];
  return plan.map((harm) => ({ harm, at: random.number() })).sort((a, b) => a.at - b.at).map(({ harm }) => harm);
}

async function flush(storm: Storm): Promise<void> {
  const client = new Redis(storm.town.redis.url);
  await client.flushall();
  client.disconnect();
  storm.did('FLUSHALL');
}

/** Redis comes back with an empty memory. Meanwhile submissions are accepted, and work goes on. */
async function killFor(storm: Storm, awayMs: number, submit: () => Promise<void>): Promise<void> {
  const { redis } = storm.town;
  await redis.kill();
  storm.did('Redis killed');
  const back = Date.now() + awayMs;
  while (Date.now() < back) {
    await submit();
    storm.did('submissions accepted while Redis was away');
    await delay(storm.sized(200, 500));
  }
  await redis.start();
  await progress(storm);
}

async function timedSubmission(load: Load, work: Work, waits: number[]): Promise<void> {
  const startedAt = Date.now();
  await load.submit(work);
  waits.push(Date.now() - startedAt);
}

/** After an outage the first step is done soon, not after a backoff of many seconds. */
async function progress(storm: Storm): Promise<void> {
  const done = async () =>
    (await storm.town.query<{ done: number }>('select sum(steps_done)::int as done from job'))[0]?.done ?? 0;
  const [before, startedAt] = [await done(), Date.now()];
  while (Date.now() - startedAt < PROGRESS_MS) {
    if ((await done()) > before) return;
    await delay(100);
  }
  storm.fault(`No step was done for ${PROGRESS_MS / 1_000} s after Redis was back`);
}
