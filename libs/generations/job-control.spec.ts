import type { Claim } from '#libs/engine/generation-store.js';
import type { NodeDefinition } from '#libs/nodes/node.js';
import { NodeRegistry } from '#libs/nodes/registry.js';
import { Ledger } from '#libs/credits/ledger.js';
import { account, booksAreRight, eventTypes, generationRows, jobEnds, jobRow, stepRuns } from '../../test/factories/reads.js';
import { createCollection } from '../../test/factories/asset.js';
import { buildRoad, type Road } from '../../test/factories/road.js';
import { eventually } from '../../test/setup/eventually.js';
import { testKeys } from '../../test/factories/keys.js';
import { claim } from './claims.js';
import { ExternalCancels } from './external-cancels.js';

const slow = (ms: number) => [{ id: 1, nodeName: 'slow', nodePayload: { ms } }];

const aFile = {
  storage_key: 'k', name: 'a.txt', mime_type: 'text/plain', size: 1, sha256: 'ab', width: null, height: null, duration: null,
};

describe('cancel and resume', () => {
  let road: Road;

  beforeAll(async () => {
    road = await buildRoad();
  });
  afterEach(() => booksAreRight(road.database));
  afterAll(() => road.close());

  const take = () => claim(road.database, testKeys(road.database), { lane: 'default', worker: 'test', idle: true });

  it('cancels or completes, never both, at whatever moment the cancel comes', async () => {
    const worker = road.worker({ concurrency: 20 });
    worker.start();
    const jobs = await Promise.all(Array.from({ length: 40 }, () => road.submit({ steps: slow(40), price: 2 })));
    await Promise.all(
      jobs.map(async ({ userId, jobId }, index) => {
        // The first at once, the last when it has ended, the others at moments between.
        if (index === jobs.length - 1) await jobEnds(road.database, jobId, 'completed', 25_000);
        else await new Promise((resolve) => setTimeout(resolve, index * 12));
        await road.control.cancelJob(userId, jobId).catch((error) => {
          expect(error.code).toBe('INVALID_JOB_STATUS');
        });
      }),
    );
    const ends = { completed: 0, cancelled: 0 };
    for (const { jobId, userId } of jobs) {
      const { status } = await jobRow(road.database, jobId);
      ends[status as keyof typeof ends] += 1;
      const types = await eventTypes(road.database, jobId);
      expect(types.filter((type) => /^job_(completed|cancelled)$/.test(type))).toEqual([`job_${status}`]);
      const balance = status === 'completed' ? 0 : 2;
      expect(await account(road.database, userId)).toEqual({ balance, held: 0, open: 0 });
    }
    expect(ends.completed).toBeGreaterThan(0);
    expect(ends.cancelled).toBeGreaterThan(0);
    await worker.stop();
  });

  it('refuses what a holder does after a cancel', async () => {
    const { jobId, userId } = await road.submit({ steps: slow(1) });
    const { lease, state } = (await take()) as Claim;
    const start = { stepId: '1', node: 'slow', alias: null, attempt: 1, inputDigest: null };
    const [attempt] = await road.store.begin(lease, state, [start]);
    await road.control.cancelJob(userId, jobId);
    const finished = { attempt: attempt!, node: 'slow', alias: null, output: { assets: [], value: 1, traits: [] }, logs: [] };
    state.finished.set('1', finished.output);
    await expect(road.store.checkpoint(lease, state, [finished], [])).rejects.toThrow('lease');
    await expect(road.store.finish(lease, state, [finished])).rejects.toThrow('lease');
    await expect(road.store.keepFiles(lease, state, '1', [aFile])).rejects.toThrow('lease');
    await expect(road.store.handBack(lease)).rejects.toThrow('lease');
    expect(await account(road.database, userId)).toEqual({ balance: 1, held: 0, open: 0 });
  });

  it('cancels one edition and lets the others go on', async () => {
    const { jobId, userId } = await road.submit({ steps: slow(20), generations: 3 });
    await road.control.cancelGeneration(userId, jobId, 1);
    await expect(road.control.cancelGeneration(userId, jobId, 1)).rejects.toMatchObject({ code: 'INVALID_GENERATION_STATUS' });
    await expect(road.control.cancelGeneration(userId, jobId, 9)).rejects.toMatchObject({ code: 'GENERATION_NOT_FOUND' });
    const worker = road.worker();
    worker.start();
    await jobEnds(road.database, jobId, 'cancelled');
    expect((await generationRows(road.database, jobId)).map(({ status }) => status)).toEqual(['completed', 'cancelled', 'completed']);
    await road.control.resumeGeneration(userId, jobId, 1);
    await jobEnds(road.database, jobId, 'completed');
    expect(await account(road.database, userId)).toEqual({ balance: 0, held: 0, open: 0 });
    await worker.stop();
  });

  it('does not resume without the price, and changes nothing then', async () => {
    const { jobId, userId } = await road.submit({ steps: slow(1), price: 5, basePrice: 1 });
    await road.control.cancelJob(userId, jobId);
    const movement = { type: 'adjust', amount: -1_000_000n, key: `adjust:${jobId}` } as const;
    await road.database.transaction((tx) => new Ledger().append(tx, userId, [movement]));
    await expect(road.control.resumeJob(userId, jobId)).rejects.toMatchObject({
      code: 'INSUFFICIENT_CREDITS',
      details: { required: 6, available: 5 },
    });
    expect(await jobRow(road.database, jobId)).toMatchObject({ status: 'cancelled', base_status: 'released', base_run: 1 });
    expect((await generationRows(road.database, jobId))[0]).toMatchObject({ status: 'cancelled', run: 1 });
  });

  it('resumes what was cancelled before it began as a job that waits', async () => {
    const { jobId, userId } = await road.submit({ steps: slow(1) });
    await road.control.cancelJob(userId, jobId);
    expect(await jobRow(road.database, jobId)).toMatchObject({ status: 'cancelled', started_at: null });
    await road.control.resumeJob(userId, jobId);
    expect(await jobRow(road.database, jobId)).toMatchObject({ status: 'pending', started_at: null, completed_at: null });
    await road.control.cancelJob(userId, jobId);
  });

  it('resumes where the queue of its priority stands, however far an urgent one has gone', async () => {
    const [urgent, waiting, moved] = await Promise.all([
      road.submit({ steps: slow(1), priority: 90, firstTurn: 500 }), road.submit({ steps: slow(1), priority: 60, firstTurn: 7 }),
      road.submit({ steps: slow(1) }),
    ]);
    await road.database.query('update generation set started_at = now() where job_id = $1', [urgent.jobId]);
    await road.control.cancelJob(moved.userId, moved.jobId);
    await road.database.query('update job set priority = 60 where id = $1', [moved.jobId]);
    await road.control.resumeJob(moved.userId, moved.jobId);
    expect(await generationRows(road.database, moved.jobId)).toMatchObject([{ status: 'pending', priority: 60, turn: '7' }]);
    for (const { userId, jobId } of [urgent, waiting, moved]) await road.control.cancelJob(userId, jobId);
  });

  it('resumes no more editions than the collection has', async () => {
    const { jobId, userId } = await road.submit({ steps: slow(1) });
    const collectionId = await createCollection(road.database, userId);
    await road.database.query('update collection set editions = 1 where id = $1', [collectionId]);
    await road.control.cancelJob(userId, jobId);
    const other = await road.submit({ steps: slow(1), userId });
    await road.database.query('update job set collection_id = $1 where id = any($2)', [collectionId, [jobId, other.jobId]]);
    await expect(road.control.resumeJob(userId, jobId)).rejects.toMatchObject({ code: 'EDITIONS_EXHAUSTED' });
    await road.control.cancelJob(userId, other.jobId);
    await road.control.resumeJob(userId, jobId);
    await expect(road.control.resumeGeneration(userId, other.jobId, 0)).rejects.toMatchObject({ code: 'EDITIONS_EXHAUSTED' });
    await road.control.cancelJob(userId, jobId);
  });

  it('knows no job of another user', async () => {
    const { jobId } = await road.submit({ steps: slow(1) });
    const stranger = '00000000-0000-4000-8000-000000000000';
    await expect(road.control.cancelJob(stranger, jobId)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
    await expect(road.control.resumeJob(stranger, jobId)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
    expect(await jobRow(road.database, jobId)).toMatchObject({ status: 'pending' });
    await road.database.query('update generation set wake_at = null where job_id = $1', [jobId]);
  });

  it('marks work outside to be stopped there', async () => {
    const worker = road.worker();
    worker.start();
    const { jobId, userId } = await road.submit({
      steps: [{ id: 1, nodeName: 'wait', nodePayload: { name: 'outside' } }], lane: 'provider',
    });
    await eventually(async () => expect((await generationRows(road.database, jobId))[0]?.status).toBe('waiting'));
    await road.control.cancelJob(userId, jobId);
    expect((await stepRuns(road.database, jobId))[0]).toMatchObject({ status: 'cancelled', external_cancel_due: true });
    expect(await road.cancels.sweep()).toBe(1);
    expect(road.outside.cancelled).toEqual(['outside']);
    expect(await road.cancels.sweep()).toBe(0);
    await worker.stop();
  });

  it('does not hold a transaction open for a service that does not answer its cancel', async () => {
    const worker = road.worker();
    worker.start();
    const { jobId, userId } = await road.submit({
      steps: [{ id: 1, nodeName: 'wait', nodePayload: { name: 'deaf' } }], lane: 'provider',
    });
    await eventually(async () => expect((await generationRows(road.database, jobId))[0]?.status).toBe('waiting'));
    await road.control.cancelJob(userId, jobId);
    const deaf = { name: 'wait', aliases: [], cancel: () => new Promise(() => undefined) } as unknown as NodeDefinition;
    const nodes = { pinned: async () => new NodeRegistry([deaf]) };
    const cancels = new ExternalCancels(road.database, nodes, testKeys(road.database), 200);
    expect(await cancels.sweep()).toBe(0);
    expect((await stepRuns(road.database, jobId))[0]).toMatchObject({ external_cancel_due: true });
    await worker.stop();
  });
});
