import type { Attempt, Claim } from '#libs/engine/generation-store.js';
import type { Step } from '#libs/instruction-set/instruction-set.js';
import { createCollection } from '../../test/factories/asset.js';
import { waitingForLocks } from '../../test/factories/reads.js';
import { buildRoad, type Road } from '../../test/factories/road.js';
import { eventually } from '../../test/setup/eventually.js';
import { testKeys } from '../../test/factories/keys.js';
import { claim } from './claims.js';

const steps: Step[] = [{ id: 1, nodeName: 'echo', nodePayload: {} }];
const start = { stepId: '1', node: 'echo', alias: null, attempt: 1, inputDigest: null };
const output = { assets: [], value: 1, traits: [] };
const failure = { code: 'NO', message: 'no', logs: [] };

/** The one order in which rows are locked, and how those of the job at hand are found. */
const ORDER = ['collection', 'job', 'generation', 'account'] as const;
type Table = (typeof ORDER)[number];
const ROW: Record<Table, string> = {
  collection: 'collection where id = (select collection_id from job where id = $1)',
  job: 'job where id = $1',
  generation: 'generation where job_id = $1',
  account: 'account where user_id = (select user_id from job where id = $1)',
};

interface Scene {
  userId: string;
  jobId: string;
  claimed: Claim;
  attempt: Attempt;
}
type Change = (road: Road, scene: Scene) => Promise<unknown>;

/** Every change of state, and the rows it takes. */
const CHANGES: Array<[name: string, takes: Table[], change: Change]> = [
  ['a checkpoint', ['job', 'generation'], ({ store }, { claimed: { lease, state }, attempt }) =>
    store.checkpoint(lease, state, [{ attempt, node: 'echo', alias: null, output, logs: [] }], [])],
  ['the end of a generation', ['job', 'generation', 'account'], ({ store }, { claimed: { lease, state } }) =>
    store.finish(lease, state, [])],
  ['a failure', ['job', 'generation', 'account'], ({ store }, { claimed, attempt }) =>
    store.failStep(claimed.lease, attempt, failure, null)],
  ['a rest', ['job', 'generation'], ({ store }, { claimed }) => store.park(claimed.lease, 1, null)],
  ['a hand-back', ['job', 'generation'], ({ store }, { claimed }) => store.handBack(claimed.lease)],
  ['a cancel', ['job', 'generation', 'account'], ({ control }, { userId, jobId }) =>
    control.cancelJob(userId, jobId)],
];

describe('the order of locks', () => {
  let road: Road;

  beforeAll(async () => {
    road = await buildRoad();
  });
  afterEach(() => road.database.query('truncate job cascade'));
  afterAll(() => road.close());

  async function setScene(): Promise<Scene> {
    const { jobId, userId } = await road.submit({ steps });
    const collectionId = await createCollection(road.database, userId);
    await road.database.query('update job set collection_id = $2 where id = $1', [jobId, collectionId]);
    const claimed = (await claim(road.database, testKeys(road.database), { lane: 'default', worker: 'test', idle: true })) as Claim;
    const [attempt] = await road.store.begin(claimed.lease, claimed.state, [start]);
    return { userId, jobId, claimed, attempt: attempt! };
  }

  /** While `change` waits for the row of `table`, it holds nothing that comes after it. */
  async function holdsNothingAfter(table: Table, jobId: string, change: () => Promise<unknown>) {
    const later = ORDER.slice(ORDER.indexOf(table) + 1);
    let changing!: Promise<unknown>;
    await road.database.transaction(async (tx) => {
      await tx.query(`select from ${ROW[table]} for update`, [jobId]);
      changing = change();
      // Seen to the end below.
      changing.catch(() => undefined);
      await eventually(async () => expect(await waitingForLocks(road.database)).toBe(1));
      for (const other of later) {
        const free = await road.database.query(`select from ${ROW[other]} for update skip locked`, [jobId]);
        expect([other, free.length]).toEqual([other, 1]);
      }
    });
    await changing;
  }

  const cases = CHANGES.flatMap(([name, takes, change]) => takes.map((table) => [name, table, change] as const));
  it.each(cases)('%s takes its %s before what comes after', async (_name, table, change) => {
    const scene = await setScene();
    await holdsNothingAfter(table, scene.jobId, () => change(road, scene));
  });

  it.each(['collection', 'job', 'generation', 'account'] as const)(
    'a resume takes its %s before what comes after',
    async (table) => {
      const { userId, jobId } = await setScene();
      await road.control.cancelJob(userId, jobId);
      await holdsNothingAfter(table, jobId, () => road.control.resumeJob(userId, jobId));
    },
  );
});
