import { randomUUID } from 'node:crypto';
import type { Attempt, Claim, Lease } from '#libs/engine/generation-store.js';
import type { Step } from '#libs/instruction-set/instruction-set.js';
import { signals } from '#libs/tracepoints/signals.js';
import { submitJob } from '../../test/factories/job.js';
import { account, eventTypes } from '../../test/factories/reads.js';
import { buildRoad, type Road } from '../../test/factories/road.js';
import { testKeys } from '../../test/factories/keys.js';
import { claim } from './claims.js';
import { setAside } from './paused-generations.js';

const steps: Step[] = [
  { id: 1, nodeName: 'slow', nodePayload: { ms: 1 } },
  { id: 2, nodeName: 'echo', nodePayload: {} },
];
const start = (attempt: number) => [{ stepId: '1', node: 'slow', alias: null, attempt, inputDigest: null }];
const output = { assets: [], value: 'stale', traits: [] };
const file = {
  storage_key: 'k', name: 'a.txt', mime_type: 'text/plain', size: 1, sha256: 'ab', width: null, height: null,
  duration: null,
};
const failure = { code: 'STALE', message: 'of a worker that was thought dead', logs: [] };

/** What a worker writes under its lease. */
type Write = (road: Road, claimed: Claim, attempt: Attempt) => Promise<unknown>;
const finished = (attempt: Attempt) => [{ attempt, node: 'slow', alias: null, output, logs: [] }];
const WRITES: Record<string, Write> = {
  'a checkpoint': ({ store }, { lease, state }, attempt) =>
    store.checkpoint(lease, state, finished(attempt), []),
  'a step that is done as it begins': ({ store }, { lease, state }) =>
    store.checkpoint(lease, state, [], start(2).map((begun) => ({ ...begun, result: { output, logs: [] } }))),
  'the start of a step': ({ store }, { lease, state }) => store.checkpoint(lease, state, [], start(2)),
  'the end of the generation': ({ store }, { lease, state }, attempt) =>
    store.finish(lease, state, finished(attempt)),
  'a file': ({ store }, { lease, state }) => store.keepFiles(lease, state, '1', [file]),
  'a step that waits': ({ store }, { lease }, attempt) =>
    store.waitStep(lease, attempt, { reference: 'r', pollAfterMs: 1, timeoutMs: 1, logs: [] }),
  'a failure': ({ store }, { lease }, attempt) => store.failStep(lease, attempt, failure, null),
  'a rest': ({ store }, { lease, state }) => store.park(lease, state.wakeSeq, null),
  'a hand-back': ({ store }, { lease }) => store.handBack(lease),
};

describe('under a lease that ran out', () => {
  let road: Road;

  beforeAll(async () => {
    road = await buildRoad();
  });
  afterEach(() => road.database.query('truncate job cascade'));
  afterAll(() => road.close());

  const take = async () => (await claim(road.database, testKeys(road.database), { lane: 'default', worker: 'test', idle: true })) as Claim;
  const runOut = () => road.database.query("update generation set lease_until = now() - interval '1 second'");
  const everything = async () => {
    const tables = ['job', 'generation', 'step_run', 'job_history', 'credit_entry', 'account', 'flat_file'];
    const rows = tables.map((table) => `(select jsonb_agg(t order by t::text) from ${table} t) as ${table}`);
    return (await road.database.query(`select ${rows.join(', ')}`))[0];
  };

  /** One worker has begun when its lease runs out, and another has gone on with the same step. */
  async function takenOver(): Promise<{ stale: Claim; attempt: Attempt; newest: Lease }> {
    await submitJob(road.database, { steps });
    const stale = await take();
    const [attempt] = await road.store.begin(stale.lease, stale.state, start(1));
    await runOut();
    await road.reconciler.sweep();
    const { lease: newest, state } = await take();
    await road.store.begin(newest, state, start(2));
    return { stale, attempt: attempt!, newest };
  }

  it.each(Object.entries(WRITES))('%s is refused and changes nothing', async (_name, write) => {
    const { stale, attempt } = await takenOver();
    const before = await everything();
    await expect(write(road, stale, attempt)).rejects.toThrow('lease');
    expect(await everything()).toEqual(before);
  });

  it('a breakdown changes nothing', async () => {
    const { stale } = await takenOver();
    const before = await everything();
    await road.store.breakOff(stale.lease);
    expect(await everything()).toEqual(before);
  });

  it('a beginning is refused, also when the one who holds it now has not begun', async () => {
    await submitJob(road.database, { steps });
    const stale = await take();
    await runOut();
    await take();
    const before = await everything();
    await expect(road.store.begin(stale.lease, stale.state, start(1))).rejects.toThrow('lease');
    expect(await everything()).toEqual(before);
  });

  it('a beginning that nobody else was quicker with counts, and no pause that came first holds it', async () => {
    const { generationIds } = await submitJob(road.database, { steps });
    const { lease, state } = await take();
    await runOut();
    const pause = randomUUID();
    await road.database.query(
      "insert into pause (id, scope, subject, mode, reason, created_by) values ($1, 'all', '', 'drain', 'a release', $1)", [pause],
    );
    expect(await setAside(road.database, pause)).toBe(1);
    await road.store.begin(lease, state, start(1));
    await road.store.park(lease, state.wakeSeq, 0);
    expect((await take()).lease.generationId).toBe(generationIds[0]);
    await road.database.query('truncate pause cascade');
  });

  it('nothing begins twice under one', async () => {
    await submitJob(road.database, { steps });
    const { lease, state } = await take();
    await road.store.begin(lease, state, start(1));
    const before = await everything();
    await expect(road.store.begin(lease, state, [])).rejects.toThrow('lease');
    expect(await everything()).toEqual(before);
  });
});

describe('a beginning', () => {
  it('tells how long it might have begun before: what its user or an operator held back has not waited', async () => {
    const road = await buildRoad();
    const waits: number[] = [];
    const stop = signals.begun.listen(({ waitedMs }) => waits.push(waitedMs));
    const { jobId } = await submitJob(road.database, { steps });
    await road.database.query("update job set created_at = now() - interval '1 hour' where id = $1", [jobId]);
    const { lease, state } = (await claim(road.database, testKeys(road.database), { lane: 'default', worker: 'test', idle: true })) as Claim;
    await road.store.begin(lease, state, start(1));
    stop();
    expect(waits).toHaveLength(1);
    expect(waits[0]).toBeLessThan(60_000);
    await road.close();
  });
});

describe('an end', () => {
  it('comes once, also when the worker never heard that it had come', async () => {
    const road = await buildRoad();
    const { jobId, userId } = await submitJob(road.database, { steps, price: 2 });
    const { lease, state } = (await claim(road.database, testKeys(road.database), { lane: 'default', worker: 'test', idle: true })) as Claim;
    const [attempt] = await road.store.begin(lease, state, start(1));
    await road.store.finish(lease, state, finished(attempt!));
    const events = await eventTypes(road.database, jobId);
    await expect(road.store.finish(lease, state, finished(attempt!))).rejects.toThrow('lease');
    expect(await eventTypes(road.database, jobId)).toEqual(events);
    expect(await account(road.database, userId)).toEqual({ balance: 0, held: 0, open: 0 });
    await road.close();
  });
});

describe('a rest', () => {
  it('is refused when a wake-up came that the worker has not seen, and says which', async () => {
    const road = await buildRoad();
    await submitJob(road.database, { steps });
    const { lease, state } = (await claim(road.database, testKeys(road.database), { lane: 'default', worker: 'test', idle: true })) as Claim;
    await road.store.begin(lease, state, start(1));
    await road.database.query('update generation set wake_seq = wake_seq + 1');
    expect(await road.store.park(lease, state.wakeSeq, null)).toBe(state.wakeSeq + 1);
    expect(await road.store.park(lease, state.wakeSeq + 1, null)).toBe('parked');
    await road.close();
  });
});
