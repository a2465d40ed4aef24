import { randomUUID } from 'node:crypto';
import { createAsset, createCollection } from '../../test/factories/asset.js';
import { submitJob } from '../../test/factories/job.js';
import { createUser } from '../../test/factories/job-submission.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { loadEnvironment } from '#libs/config/environment.js';
import { prunables } from './prunable.js';
import { Pruning } from './pruning.js';

const STEPS = [{ id: 1, nodeName: 'echo', nodePayload: {} }];

describe('pruning', () => {
  let test: TestDatabase;

  beforeAll(async () => {
    test = await createTestDatabase();
  });
  afterEach(() => test.database.query('truncate job, flat_file, operator_action, pause cascade'));
  afterAll(() => test.close());

  const pruning = (variables: Record<string, string> = { KEEP_JOBS_DAYS: '30', KEEP_DELIVERIES_DAYS: '7', KEEP_ACTIONS_DAYS: '365' }) =>
    new Pruning(test.database, prunables(loadEnvironment({ NODE_ENV: 'test', ...variables })));
  /** A job that ended so many days ago. */
  async function ended(days: number, columns = "status = 'failed', failed = 1") {
    const job = await submitJob(test.database, { steps: STEPS });
    await test.database.query(
      `update job set ${columns}, completed_at = now() - make_interval(days => $2) where id = $1`, [job.jobId, days],
    );
    return job;
  }
  const jobs = async () => (await test.database.query<{ id: string }>('select id from job order by id')).map(({ id }) => id);
  const ledger = async () => (await test.database.query('select from credit_entry')).length;

  it('removes old jobs of which nothing is left, with all that hangs on them, and leaves the ledger', async () => {
    await ended(31);
    const young = await ended(29);
    const open = await submitJob(test.database, { steps: STEPS });
    const entries = await ledger();
    expect(await pruning().all({ dry: true })).toContainEqual({ name: 'jobs', rows: 1 });
    expect(await jobs()).toHaveLength(3);
    expect(await pruning().sweep()).toContainEqual({ name: 'jobs', rows: 1 });
    expect(await jobs()).toEqual([young.jobId, open.jobId].sort());
    expect(await ledger()).toBe(entries);
  });

  it('keeps what a collection shows, and what made a file that is there', async () => {
    const userId = await createUser(test.database);
    const collectionId = await createCollection(test.database, userId, { status: 'draft' });
    const shown = await ended(400, "status = 'completed', completed = 1");
    await test.database.query('update job set collection_id = $2 where id = $1', [shown.jobId, collectionId]);
    const made = await ended(400);
    const { id } = await createAsset(test.database, { userId, collectionId, name: 'a.png' });
    await test.database.query('update flat_file set job_id = null, generation_id = $2 where id = $1', [id, made.generationIds[0]]);
    expect(await pruning().all({ dry: false })).toContainEqual({ name: 'jobs', rows: 0 });
    await test.database.query('update flat_file set deleted_at = now() where id = $1', [id]);
    expect(await pruning().all({ dry: false })).toContainEqual({ name: 'jobs', rows: 1 });
    expect(await jobs()).toEqual([shown.jobId]);
  });

  it('keeps deliveries that are not made yet', async () => {
    const { jobId, userId } = await ended(1);
    await test.database.query(`insert into webhook (job_id, user_id, url, host, events) values ($1, $2, 'https://a.example', 'a.example', '{}')`, [jobId, userId]);
    await test.database.query(
      `insert into delivery (job_id, user_id, host, seq, type, status, created_at)
       select $1, $2, 'a.example', n, 'job_failed', case when n = 1 then 'pending' else 'delivered' end, now() - make_interval(days => n * 5)
         from generate_series(1, 3) as n`, [jobId, userId],
    );
    await pruning().sweep();
    expect(await test.database.query('select seq::int from delivery order by seq')).toEqual([{ seq: 1 }]);
  });

  it('removes what operators did long ago, but no pause that is in force', async () => {
    for (const lifted of ['null', "now() - interval '400 days'"]) {
      await test.database.query(
        `insert into pause (id, scope, subject, mode, reason, created_by, created_at, lifted_at)
         values ($1, 'lane', 'default', 'pause', 'x', $1, now() - interval '500 days', ${lifted})`, [randomUUID()],
      );
    }
    await test.database.query(
      `insert into operator_action (user_id, verb, target, at) values ($1, 'pause', '{}', now() - interval '400 days'), ($1, 'lift', '{}', now())`,
      [randomUUID()],
    );
    await pruning().sweep();
    expect(await test.database.query('select lifted_at from pause')).toEqual([{ lifted_at: null }]);
    expect(await test.database.query('select verb from operator_action')).toEqual([{ verb: 'lift' }]);
  });

  it('removes nothing that nobody said how long to keep, and a little at a time of the rest', async () => {
    for (let n = 0; n < 5; n++) await ended(31, "status = 'failed', failed = 1, generations = 700");
    expect(await pruning({}).all({ dry: false })).toContainEqual({ name: 'jobs', rows: 0 });
    const sweeping = pruning();
    expect(await sweeping.sweep()).toContainEqual({ name: 'jobs', rows: 2 });
    expect(await sweeping.sweep()).toContainEqual({ name: 'jobs', rows: 2 });
    expect(await sweeping.sweep()).toContainEqual({ name: 'jobs', rows: 1 });
  });

  it('removes as many small jobs as it looks at, and a huge one alone', async () => {
    for (let n = 0; n < 30; n++) await ended(31);
    expect(await pruning().sweep()).toContainEqual({ name: 'jobs', rows: 30 });
    for (let n = 0; n < 2; n++) await ended(31, "status = 'failed', failed = 1, generations = 10000");
    expect(await pruning().sweep()).toContainEqual({ name: 'jobs', rows: 1 });
    expect(await pruning().all({ dry: false })).toContainEqual({ name: 'jobs', rows: 1 });
  });
});
