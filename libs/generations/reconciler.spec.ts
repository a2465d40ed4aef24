import type { Claim, Lease, StepStart } from '#libs/engine/generation-store.js';
import {
  account, booksAreRight, eventTypes, generationRows, jobEnds, jobRow, stepRuns, waitingForLocks,
} from '../../test/factories/reads.js';
import { buildRoad, type Road } from '../../test/factories/road.js';
import { eventually } from '../../test/setup/eventually.js';
import { testKeys } from '../../test/factories/keys.js';
import { claim } from './claims.js';

const steps = [
  { id: 1, nodeName: 'echo', nodePayload: { value: 'first' } },
  { id: 2, nodeName: 'echo', nodePayload: { value: { $ref: 1 } } },
];

describe('the reconciler', () => {
  let road: Road;

  beforeAll(async () => {
    road = await buildRoad({ generationTimeoutMs: 60_000 });
  });
  afterEach(() => booksAreRight(road.database));
  afterAll(() => road.close());

  const take = () => claim(road.database, testKeys(road.database), { lane: 'default', worker: 'dead', idle: true });
  const start = (stepId: string, attempt = 1) => ({ stepId, node: 'echo', alias: null, attempt, inputDigest: null });
  /** Takes the next generation and starts its steps. */
  const begin = async (...starts: StepStart[]) => {
    const { lease, state } = (await take()) as Claim;
    return { lease, state, attempts: await road.store.begin(lease, state, starts) };
  };
  const expire = () => road.database.query("update generation set lease_until = now() - interval '1 second' where status = 'processing'");

  /** A worker that began a step and is never heard of again. */
  async function dieIn(stepId: string): Promise<Lease> {
    const { lease, state } = (await take()) as Claim;
    const attempt = (state.records.get(stepId)?.attempts ?? 0) + 1;
    await road.store.begin(lease, state, [start(stepId, attempt)]);
    await expire();
    return lease;
  }

  it('repairs nothing when all is well', async () => {
    expect(await road.reconciler.sweep()).toEqual({ lostLeases: 0, timedOut: 0, woken: 0 });
  });

  it('lets another worker go on from the checkpoint of one that died', async () => {
    const { jobId } = await road.submit({ steps });
    const { lease, state, attempts: [attempt] } = await begin(start('1'));
    const output = { assets: [], value: 'first', traits: [] };
    const finished = { attempt: attempt!, node: 'echo', alias: null, output, logs: [] };
    await road.store.checkpoint(lease, state, [finished], [start('2')]);
    await expire();

    expect(await road.reconciler.sweep()).toMatchObject({ lostLeases: 1 });
    const worker = road.worker();
    worker.start();
    await jobEnds(road.database, jobId, 'completed');
    await worker.stop();
    const runs = (await stepRuns(road.database, jobId)).map(({ step_id, status, error }) => [step_id, status, error?.code]);
    expect(runs).toEqual([['1', 'completed', undefined], ['2', 'failed', 'WORKER_LOST'], ['2', 'completed', undefined]]);
    await expect(road.store.handBack(lease)).rejects.toThrow('lease');
    expect(await eventTypes(road.database, jobId)).toContain('node_failed');
  });

  it('runs a step alone after two deaths, and fails it after two deaths alone', async () => {
    const { jobId, userId } = await road.submit({ steps });
    for (const alone of [false, false, true, true]) {
      expect((await dieIn('1')).alone).toBe(alone);
      await road.reconciler.sweep();
    }
    expect(await jobRow(road.database, jobId)).toMatchObject({ status: 'failed', failed: 1 });
    expect((await generationRows(road.database, jobId))[0]?.error).toMatchObject({ code: 'WORKER_LOST', step_id: '1' });
    expect(await account(road.database, userId)).toEqual({ balance: 1, held: 0, open: 0 });
  });

  it('fails and releases what is over its time, waiting or not', async () => {
    const { jobId, userId } = await road.submit({ steps, generations: 2 });
    const { lease } = await begin();
    await road.database.query("update generation set deadline_at = now() - interval '1 second' where job_id = $1", [jobId]);
    expect(await road.reconciler.sweep()).toMatchObject({ timedOut: 2 });
    expect((await generationRows(road.database, jobId)).map(({ error }) => error.code)).toEqual(['GENERATION_TIMEOUT', 'GENERATION_TIMEOUT']);
    expect(await jobRow(road.database, jobId)).toMatchObject({ status: 'failed' });
    expect(await account(road.database, userId)).toEqual({ balance: 2, held: 0, open: 0 });
    await expect(road.store.handBack(lease)).rejects.toThrow('lease');
    await road.control.resumeJob(userId, jobId);
    const rows = await generationRows(road.database, jobId);
    expect(rows.every(({ deadline_at, run }) => deadline_at === null && run === 2)).toBe(true);
    await road.control.cancelJob(userId, jobId);
  });

  it('leaves alone what was put right while it waited for the job', async () => {
    const { jobId, userId } = await road.submit({ steps, generations: 2 });
    await begin();
    await begin();
    await expire();
    await road.database.query("update generation set deadline_at = now() - interval '1 second' where index = 1 and job_id = $1", [jobId]);
    let sweeping!: Promise<unknown>;
    await road.database.transaction(async (tx) => {
      await tx.query('select from job where id = $1 for update', [jobId]);
      sweeping = road.reconciler.sweep();
      // Its list is made; the leases are renewed, and the time is prolonged, before it gets the job.
      await eventually(async () => expect(await waitingForLocks(road.database)).toBe(1));
      await road.database.query(
        "update generation set lease_until = now() + interval '10 seconds', deadline_at = now() + interval '1 minute' where job_id = $1",
        [jobId],
      );
    });
    await sweeping;
    expect((await generationRows(road.database, jobId)).map(({ status }) => status)).toEqual(['processing', 'processing']);
    await road.control.cancelJob(userId, jobId);
  });

  it('wakes what is due although its wake-up was lost', async () => {
    const { jobId } = await road.submit({ steps });
    await road.database.query("update generation set wake_at = now() - interval '5 seconds' where job_id = $1", [jobId]);
    expect(await road.reconciler.sweep()).toMatchObject({ woken: 1 });
    await road.database.query('update generation set wake_at = null where job_id = $1', [jobId]);
    expect(await road.reconciler.sweep()).toMatchObject({ woken: 0 });
  });

  it('lets a run that breaks off rest, and fails its generation after the third time', async () => {
    const { jobId, userId } = await road.submit({ steps });
    for (const status of ['pending', 'pending', 'failed']) {
      await road.database.query('update generation set wake_at = now() where job_id = $1', [jobId]);
      const { lease, state } = (await take()) as Claim;
      await road.store.begin(lease, state, [start('1', (state.records.get('1')?.attempts ?? 0) + 1)]);
      await road.store.breakOff(lease);
      expect((await generationRows(road.database, jobId))[0]).toMatchObject({ status, lease_until: null });
      expect(await take()).toBeUndefined();
    }
    expect((await generationRows(road.database, jobId))[0]?.error).toMatchObject({ code: 'INTERNAL_ERROR' });
    expect((await stepRuns(road.database, jobId)).every(({ status }) => status === 'cancelled')).toBe(true);
    expect(await account(road.database, userId)).toEqual({ balance: 1, held: 0, open: 0 });
  });

  it('sweeps in one process at a time', async () => {
    const sweeps = await Promise.all(Array.from({ length: 5 }, () => road.reconciler.sweep()));
    expect(sweeps.filter((repairs) => repairs !== null).length).toBeGreaterThan(0);
    await road.database.transaction(async (tx) => {
      await tx.query('select pg_advisory_xact_lock(7065413)');
      expect(await road.reconciler.sweep()).toBeNull();
    });
  });
});
