import type { Claim } from '#libs/engine/generation-store.js';
import type { Step } from '#libs/instruction-set/instruction-set.js';
import { account, booksAreRight, eventTypes, jobRow } from '../../test/factories/reads.js';
import { buildRoad, type Road } from '../../test/factories/road.js';
import type { SubmittedJob } from '../../test/factories/job.js';
import { testKeys } from '../../test/factories/keys.js';
import { claim } from './claims.js';

const steps: Step[] = [{ id: 1, nodeName: 'echo', nodePayload: {} }];
const start = { stepId: '1', node: 'echo', alias: null, attempt: 1, inputDigest: null };
const output = { assets: [], value: 1, traits: [] };
const failure = { code: 'NO', message: 'no', logs: [] };

/** How a generation ends. */
type End = 'completed' | 'failed' | 'cancelled';

describe('what a job costs, and when it ends', () => {
  let road: Road;

  beforeAll(async () => {
    road = await buildRoad();
  });
  afterEach(() => booksAreRight(road.database));
  afterAll(() => road.close());

  const take = async () => (await claim(road.database, testKeys(road.database), { lane: 'default', worker: 'test', idle: true })) as Claim;

  /** Ends the generation that was claimed, once `end` is called. */
  async function prepared({ jobId, userId }: SubmittedJob, as: End) {
    const { lease, state } = await take();
    const [attempt] = await road.store.begin(lease, state, [start]);
    state.finished.set('1', output);
    const finished = { attempt: attempt!, node: 'echo', alias: null, output, logs: [] };
    const ends: Record<End, () => Promise<void>> = {
      completed: () => road.store.finish(lease, state, [finished]),
      failed: () => road.store.failStep(lease, attempt!, failure, null),
      cancelled: () => road.control.cancelGeneration(userId, jobId, state.index),
    };
    return ends[as];
  }

  const paidOf = async (job: SubmittedJob, credits: number) =>
    credits - (await account(road.database, job.userId)).balance;

  it.each<[End[], status: string, paid: number]>([
    [['completed', 'completed', 'completed'], 'completed', 7],
    [['failed', 'completed', 'completed'], 'failed', 5],
    [['completed', 'completed', 'failed'], 'failed', 5],
    [['cancelled', 'completed', 'completed'], 'cancelled', 5],
    [['completed', 'failed', 'cancelled'], 'failed', 3],
    [['failed', 'cancelled', 'failed'], 'failed', 0],
  ])('%s: %s', async (ends, status, paid) => {
    const job = await road.submit({ steps, generations: 3, price: 2, basePrice: 1 });
    for (const [index, as] of ends.entries()) {
      expect((await jobRow(road.database, job.jobId)).status).toMatch(/pending|processing/);
      await (await prepared(job, as))();
      if (index < ends.length - 1) expect((await jobRow(road.database, job.jobId)).status).toBe('processing');
    }
    expect((await jobRow(road.database, job.jobId)).status).toBe(status);
    expect(await paidOf(job, 7)).toBe(paid);
    const types = await eventTypes(road.database, job.jobId);
    expect(types.filter((type) => /^job_(completed|failed|cancelled)$/.test(type))).toEqual([`job_${status}`]);
  });

  it('is settled once when all of its generations end at the same moment', async () => {
    const ends: End[] = ['completed', 'failed', 'completed', 'cancelled', 'completed', 'completed'];
    const job = await road.submit({ steps, generations: ends.length, price: 2, basePrice: 1 });
    const ending: Array<() => Promise<void>> = [];
    for (const as of ends) ending.push(await prepared(job, as));
    await Promise.all(ending.map((end) => end()));
    const counts = { status: 'failed', completed: 4, failed: 1, cancelled: 1 };
    expect(await jobRow(road.database, job.jobId)).toMatchObject(counts);
    expect(await account(road.database, job.userId)).toEqual({ balance: 4, held: 0, open: 0 });
    expect((await eventTypes(road.database, job.jobId)).at(-1)).toBe('job_failed');
  });

  it('changes nothing when the account does not cover what was held for it', async () => {
    const job = await road.submit({ steps, price: 2 });
    const fail = await prepared(job, 'failed');
    // No command leads there: somebody has written into the books by hand.
    const write = (balance: string) =>
      road.database.query('update account set balance = $2 where user_id = $1', [job.userId, balance]);
    await road.database.query('alter table account drop constraint account_never_overdrawn');
    await write('-9000000');
    const before = await jobRow(road.database, job.jobId);
    await expect(fail()).rejects.toThrow('does not cover');
    expect(await jobRow(road.database, job.jobId)).toEqual(before);
    await write('2000000');
    await fail();
  });
});
