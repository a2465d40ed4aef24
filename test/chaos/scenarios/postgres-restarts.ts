import { setTimeout as delay } from 'node:timers/promises';
import { keepBusy } from '../harness/busy.js';
import { untilCalm } from '../harness/calm.js';
import { Load } from '../harness/load.js';
import type { Scenario } from '../harness/scenario.js';
import type { Storm } from '../harness/storm.js';

const WORKERS = 3;
const OPEN = 30;
const READ_EVERY_MS = 100;
const DRAIN_MS = 180_000;

export const postgresRestarts: Scenario = {
  name: 'postgres-restarts',
  promise: 'Postgres restarts again and again, in order or by a crash: all ends well, and clients hear 503, never 500.',
  stopsPostgres: true,

  async run(storm) {
    const apis = await storm.town.startApis(2);
    const load = await Load.of(storm, () => apis);
    await storm.town.startWorkers(WORKERS);
    const until = Date.now() + storm.sized(300_000, 30_000);
    const isOver = () => Date.now() > until;
    await Promise.all([
      keepBusy(storm, load, { open: OPEN, most: 3, isOver }),
      keepReading(storm, load, isOver),
      keepRestarting(storm, isOver),
    ]);
    await untilCalm(storm, DRAIN_MS);
    storm.mustReach('Postgres restarted', storm.sized(25, 2));
    storm.mustReach('Postgres crashed', storm.sized(10, 1));
    storm.mustReach('answers 503', 1);
    storm.mustReach('reads answered', storm.sized(500, 20));
    storm.mustReach('generations completed', storm.sized(100, 10));
  },
};

async function keepRestarting(storm: Storm, isOver: () => boolean): Promise<void> {
  const random = storm.random('restarts');
  for (let count = 0; !isOver(); count++) {
    await delay(random.integer(5_000, 10_000));
    const how = count % 2 === 0 ? 'immediate' : 'fast';
    await storm.town.restartPostgres(how, random.integer(0, 1_500));
    storm.did('Postgres restarted');
    if (how === 'immediate') storm.did('Postgres crashed');
  }
}

async function keepReading(storm: Storm, load: Load, isOver: () => boolean): Promise<void> {
  const paths = ['/credits', '/jobs', '/workflows', '/health/ready'];
  for (let turn = 0; !isOver(); turn++) {
    if (await load.read(paths[turn % paths.length] ?? '/credits')) storm.did('reads answered');
    await delay(READ_EVERY_MS);
  }
}
