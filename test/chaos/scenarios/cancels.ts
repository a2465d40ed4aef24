import { setTimeout as delay } from 'node:timers/promises';
import PQueue from 'p-queue';
import type { Client, Receipt } from '../../e2e/client.js';
import type { Api } from '../../e2e/processes.js';
import { untilCalm } from '../harness/calm.js';
import { measureCancelReach } from '../harness/cancel-reach.js';
import type { Scenario } from '../harness/scenario.js';
import type { Storm } from '../harness/storm.js';
import { storeWork, WORKS } from '../harness/works.js';

const WORKERS = 3;
const OPEN_JOBS = 16;
/** Longer than a job waits and runs while as many are open, if the machine is quiet. */
const LIFE_MS = 3_000;
/** About as many as a generation has; a cancel that waits for more comes too late. */
const EVENTS = 12;
const DRAIN_MS = 120_000;

/** What a client was told of its cancel: of a whole job, or of one of its generations. */
interface Cancel {
  jobId: string;
  index: number | null;
  /** Null: the answer was lost. */
  accepted: boolean | null;
}

export const cancels: Scenario = {
  name: 'cancels',
  promise: 'Cancelled at any moment, a generation is cancelled and released or completed and paid, never both.',

  async run(storm) {
    const { town } = storm;
    const apis = await town.startApis(2);
    const artist = await town.richClient(apis[0]!, 1e6);
    const measured = await measureCancelReach(storm, artist, storm.sized(30, 5));
    await town.startWorkers(WORKERS);
    const told = await cancelMany(storm, artist, apis);
    storm.receipts = new Set([...measured, ...told.map(({ jobId }) => jobId)]);
    await untilCalm(storm, DRAIN_MS);
    await compare(storm, told);
    await countMoments(storm);
    storm.mustReach('cancels accepted', storm.sized(800, 80));
    storm.mustReach('cancels too late', storm.sized(50, 5));
    storm.mustReach('generations completed', storm.sized(500, 50));
  },
};

async function cancelMany(storm: Storm, artist: Client, apis: Api[]): Promise<Cancel[]> {
  const random = storm.random('cancels');
  const works = await Promise.all(WORKS.map((steps) => storeWork(artist, steps)));
  const anywhere = () => artist.at(random.pick(apis));
  const cancelOne = async (): Promise<Cancel> => {
    const generations = random.integer(1, 3);
    const index = random.number() < 0.5 ? null : random.integer(0, generations - 1);
    const [wait, events] = [random.integer(0, LIFE_MS), random.integer(1, EVENTS * generations)];
    const body = { title: 'Storm', workflow_id: random.pick(works), generations };
    const { job_id: jobId } = await anywhere().create<Receipt>('/api/collections/generate', body);
    await (random.number() < 0.5 ? delay(wait) : untilEvents(anywhere(), jobId, events));
    const path = index === null ? `/jobs/${jobId}/cancel` : `/jobs/${jobId}/generations/${index}/cancel`;
    const answer = await anywhere().request('POST', path).catch(() => null);
    if (answer && answer.status >= 300 && answer.status !== 409) {
      storm.fault(`A cancel was answered ${answer.status}: ${answer.text}`);
    }
    if (!answer) storm.did('cancels without an answer');
    else storm.did(answer.status < 300 ? 'cancels accepted' : 'cancels too late');
    return { jobId, index, accepted: answer && answer.status < 300 };
  };
  const open = new PQueue({ concurrency: OPEN_JOBS });
  return open.addAll(Array.from({ length: storm.sized(2_000, 200) }, () => cancelOne));
}

/** Waits until the job has had so many events, or has ended. */
async function untilEvents(client: Client, jobId: string, count: number): Promise<void> {
  const reader = await client.events(`/jobs/${jobId}/events`, 0);
  while (!reader.ended && reader.ids.length < count) await delay(5);
  reader.close();
}

/** What a client was told is what became of it. */
async function compare(storm: Storm, told: Cancel[]): Promise<void> {
  const rows = await storm.town.query<{ id: string; status: string; ends: string[] }>(
    `select j.id, j.status, array_agg(g.status order by g.index) as ends
       from job j join generation g on g.job_id = j.id group by j.id`,
  );
  const jobs = new Map(rows.map((row) => [row.id, row]));
  for (const { jobId, index, accepted } of told) {
    const { status, ends } = jobs.get(jobId)!;
    const end = index === null ? status : ends[index];
    const outcome = `job ${jobId}: ${status} of ${ends.join(', ')}, cancel of ${index ?? 'all'}`;
    const isAsTold = accepted === null || (end === 'cancelled') === accepted;
    if (!isAsTold) storm.fault(`${outcome} ${accepted ? 'accepted' : 'refused'}`);
    if (ends.some((state) => state !== 'completed' && state !== 'cancelled')) storm.fault(outcome);
  }
}

/** Where the cancels met their generations. Between steps hardly any can: one ends as the next one begins. */
async function countMoments(storm: Storm): Promise<void> {
  const rows = await storm.town.query<{ moment: string; count: number }>(
    `select case when g.started_at is null then 'in the queue'
                 when exists (select from step_run s where s.generation_id = g.id and s.status = 'cancelled')
                   then 'in a step'
                 else 'between steps' end as moment, count(*)::int as count
       from generation g where g.status = 'cancelled' group by 1`,
  );
  for (const { moment, count } of rows) storm.did(`cancelled ${moment}`, count);
  storm.mustReach('cancelled in the queue', storm.sized(100, 10));
  storm.mustReach('cancelled in a step', storm.sized(100, 10));
}
