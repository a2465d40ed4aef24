import { setTimeout as delay } from 'node:timers/promises';
import { keepBusy } from '../harness/busy.js';
import { untilCalm } from '../harness/calm.js';
import type { FaultProxy } from '../harness/fault-proxy.js';
import { Load } from '../harness/load.js';
import type { Scenario } from '../harness/scenario.js';
import type { Storm } from '../harness/storm.js';

const WORKERS = 2;
const OPEN = 20;
const RESUME_S = 35;
const GIVE_UP_MS = 90_000;
const DRAIN_MS = 180_000;

export const halfOpen: Scenario = {
  name: 'half-open',
  promise: 'Connections go silent and nobody says that they ended: work goes on by itself within 35 s of the way back.',

  async run(storm) {
    const { town } = storm;
    const apis = await town.startApis(1);
    const load = await Load.of(storm, () => apis);
    await town.startWorkers(WORKERS);
    let over = false;
    const busy = keepBusy(storm, load, { open: OPEN, most: 3, isOver: () => over });
    const waits: number[] = [];
    for (let round = 0; round < storm.sized(5, 1); round++) {
      if (town.hasRedis) waits.push(await silence(storm, 'Redis', town.redisWay));
      waits.push(await silence(storm, 'Postgres', town.postgresWay));
    }
    over = true;
    await busy;
    await untilCalm(storm, DRAIN_MS);
    storm.figure('way back to progress, at most', Math.max(...waits), 's', RESUME_S);
    storm.mustReach('generations completed', storm.sized(100, 10));
  },
};

/** Silent for a time that no short timeout outlives; seconds from the way back to the next finished step. */
async function silence(storm: Storm, name: string, way: FaultProxy): Promise<number> {
  await delay(storm.random('pauses').integer(1_000, 5_000));
  way.silence();
  storm.did(`${name} silenced`);
  await delay(storm.sized(60_000, 12_000));
  way.speak();
  const [before, since] = [await stepsDone(storm), Date.now()];
  while ((await stepsDone(storm)) === before && Date.now() - since < GIVE_UP_MS) await delay(100);
  return (Date.now() - since) / 1_000;
}

async function stepsDone({ town }: Storm): Promise<number> {
  const [row] = await town.query<{ done: number }>('select coalesce(sum(steps_done), 0)::int as done from job');
  return row?.done ?? 0;
}
