import { setTimeout as delay } from 'node:timers/promises';
import { keepBusy } from '../harness/busy.js';
import { untilCalm } from '../harness/calm.js';
import { FAULT_KINDS, type Fault } from '../harness/fault-proxy.js';
import { Load } from '../harness/load.js';
import type { Scenario } from '../harness/scenario.js';
import type { Storm } from '../harness/storm.js';

const WORKERS = 3;
const OPEN = 30;
const DRAIN_MS = 180_000;

/** A commit whose answer is lost is the worst of all: done, and said to have failed. */
const POSTGRES: Fault[] = [
  { kind: 'done-but-said-failed', probability: 0.05, match: /COMMIT/i },
  { kind: 'done-but-said-failed', probability: 0.003 },
  { kind: 'error', probability: 0.003 },
  { kind: 'slow', probability: 0.03, delayMs: 300 },
  { kind: 'timeout', probability: 0.001 },
  { kind: 'garbage', probability: 0.001 },
];
const REDIS: Fault[] = FAULT_KINDS.map((kind) => ({ kind, probability: kind === 'slow' ? 0.03 : 0.01, delayMs: 300 }));

export const faultyNetwork: Scenario = {
  name: 'faulty-network',
  promise: 'Answers of Postgres and Redis are lost, late, cut or noise: nothing is done twice, and nothing is lost.',

  async run(storm) {
    const { town } = storm;
    const apis = await town.startApis(2);
    const load = await Load.of(storm, () => apis);
    await town.startWorkers(WORKERS);
    let over = false;
    const busy = keepBusy(storm, load, { open: OPEN, most: 3, isOver: () => over });
    town.postgresWay.inflict(...POSTGRES);
    if (town.hasRedis) town.redisWay.inflict(...REDIS);
    await untilAllHit(storm);
    // Mended for new connections; those that were silenced stay so, and must be noticed by who uses them.
    town.postgresWay.inflict();
    if (town.hasRedis) town.redisWay.inflict();
    over = true;
    await busy;
    await untilCalm(storm, DRAIN_MS);
    storm.mustReach('generations completed', storm.sized(200, 20));
    for (const kind of FAULT_KINDS) {
      storm.did(`faults of Postgres: ${kind}`, town.postgresWay.hits[kind]);
      storm.mustReach(`faults of Postgres: ${kind}`, 1);
      if (!town.hasRedis) continue;
      storm.did(`faults of Redis: ${kind}`, town.redisWay.hits[kind]);
      storm.mustReach(`faults of Redis: ${kind}`, 1);
    }
  },
};

/** So long at least, and until each kind has been met; three times as long at most. */
async function untilAllHit(storm: Storm): Promise<void> {
  const lasts = storm.sized(180_000, 20_000);
  const startedAt = Date.now();
  const ways = [storm.town.postgresWay, ...(storm.town.hasRedis ? [storm.town.redisWay] : [])];
  const isMissing = () => ways.some(({ hits }) => FAULT_KINDS.some((kind) => hits[kind] === 0));
  while (Date.now() - startedAt < lasts || (isMissing() && Date.now() - startedAt < 3 * lasts)) await delay(500);
}
