import { setTimeout as delay } from 'node:timers/promises';
import type { Tracepoint } from '#libs/tracepoints/tracepoints.js';
import { keepBusy } from '../harness/busy.js';
import { untilCalm } from '../harness/calm.js';
import { Crew } from '../harness/crew.js';
import { Load } from '../harness/load.js';
import { ResumeClock } from '../harness/resume-clock.js';
import type { Scenario } from '../harness/scenario.js';
import type { Storm } from '../harness/storm.js';

const WORKERS = 4;
const OPEN_AT_ONCE = 80;
const LIMIT_MS = 30 * 60_000;
const DRAIN_MS = 120_000;
/** Without any progress the next worker is killed all the same. */
const PATIENCE_MS = 30_000;
/**
 * Deaths are spread over all of the work: of about nine thousand steps, one in 45 sees one. Faster, four workers on
 * two cores do little but start, and what is measured is that.
 */
const STEPS_BETWEEN_KILLS = { full: { fewest: 20, most: 160 }, tenth: { fewest: 5, most: 60 } };
const LATEST_HIT = { full: 120, tenth: 5 };

/** Where a worker dies by its own hand; others die at any moment. Each must be hit. */
const OFTEN: Tracepoint[] = [
  'claim.before', 'claim.after', 'begin.before', 'begin.after', 'step.before-run', 'step.after-run',
  'put.before', 'put.after', 'files.before', 'files.after', 'checkpoint.before', 'checkpoint.after',
  'settlement.before', 'settlement.after',
];
const SELDOM: Tracepoint[] = [
  'renewal.before', 'renewal.after', 'failure.before', 'failure.after', 'sweep.before', 'sweep.after',
];

export const killWorkers: Scenario = {
  name: 'kill-workers',
  promise: 'Workers are killed in the middle of everything: nothing is lost, doubled, paid twice or done again.',

  async run(storm) {
    const apis = await storm.town.startApis(1);
    const load = await Load.of(storm, () => apis);
    const clock = new ResumeClock(storm.town);
    const crew = await Crew.of(storm, WORKERS, () => nextWorker(storm), ({ pid }) => clock.died(pid));
    const size = { generations: storm.sized(2_000, 200), deaths: storm.sized(200, 20) };
    const deadline = Date.now() + LIMIT_MS;
    const isHarmed = () => Date.now() > deadline || (crew.deaths >= size.deaths && unhit(storm).length === 0);
    const isOver = () => isHarmed() && (load.generations >= size.generations || Date.now() > deadline);
    await Promise.all([
      keepBusy(storm, load, { open: OPEN_AT_ONCE, doomed: 0.1, isOver }),
      killAtRandom(storm, crew, isHarmed),
    ]);
    await untilCalm(storm, DRAIN_MS);
    storm.did('workers killed', crew.deaths);
    await crew.dismiss();
    storm.mustReach('workers killed', size.deaths);
    storm.mustReach('generations completed', Math.floor(size.generations * 0.9));
    await clock.tell(storm);
  },
};

const pointsOf = (storm: Storm): Tracepoint[] => storm.sized([...OFTEN, ...SELDOM], OFTEN);

function unhit(storm: Storm): Tracepoint[] {
  const hits = storm.crashPoints.hits();
  return pointsOf(storm).filter((point) => !hits.get(point));
}

/** Most of the workers will die at a point while there is one where none has died yet; then, every other one. */
function nextWorker(storm: Storm) {
  const random = storm.random('crash points');
  const open = unhit(storm);
  if (random.number() < (open.length > 0 ? 0.25 : 0.5)) return {};
  const point = random.pick(open.length > 0 ? open : pointsOf(storm));
  return storm.crashAt(point, { nth: random.integer(1, OFTEN.includes(point) ? storm.sized(LATEST_HIT.full, LATEST_HIT.tenth) : 3) });
}

/** Harm keeps step with the work: on a machine that is slow, a kill a second would let nothing be done. */
async function killAtRandom(storm: Storm, crew: Crew, isOver: () => boolean): Promise<void> {
  const random = storm.random('kills');
  const { fewest, most } = storm.sized(STEPS_BETWEEN_KILLS.full, STEPS_BETWEEN_KILLS.tenth);
  while (!isOver()) {
    await stepsDone(storm, random.integer(fewest, most), isOver);
    const { victims } = crew;
    if (victims.length === 0) continue;
    random.pick(victims).signal('SIGKILL');
    storm.did('workers killed at any moment');
  }
}

async function stepsDone({ town }: Storm, steps: number, isOver: () => boolean): Promise<void> {
  const count = async () => {
    const [row] = await town.query<{ done: number }>(`select sum(steps_done)::int as done from job`);
    return row?.done ?? 0;
  };
  const [before, deadline] = [await count(), Date.now() + PATIENCE_MS];
  while (!isOver() && Date.now() < deadline && (await count()) < before + steps) await delay(200);
}
