import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { Ledger } from '#libs/credits/ledger.js';
import { aloneWaits, claim } from '#libs/generations/claims.js';
import { JobTransactions } from '#libs/generations/job-transaction.js';
import { takeBack } from '#libs/generations/paused-generations.js';
import { Reconciler } from '#libs/generations/reconciler.js';
import { standOf } from '#libs/generations/turns.js';
import type { Lane } from '#libs/nodes/node.js';
import { submitJob, type JobPlan } from '../../test/factories/job.js';
import { testKeys } from '../../test/factories/keys.js';
import { AnnouncedMessages, AnnouncedWakeUps } from '../../test/factories/submitting.js';
import { createWorkflow } from '../../test/factories/workflow.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { OperatorLog } from './operator-log.js';
import { Pauses, type PauseOrder } from './pauses.js';

const steps = [{ id: 1, nodeName: 'echo', nodePayload: {} }];
const operator = randomUUID();

describe('pauses', () => {
  let test: TestDatabase;
  let queue: AnnouncedWakeUps;
  let pauses: Pauses;
  let reconciler: Reconciler;

  beforeAll(async () => {
    test = await createTestDatabase();
    queue = new AnnouncedWakeUps();
    pauses = new Pauses(test.database, queue, new OperatorLog(test.database, pino({ level: 'silent' })));
    const bus = new AnnouncedMessages();
    reconciler = new Reconciler(test.database, new JobTransactions(test.database, new Ledger(), bus), queue, bus);
  });
  afterEach(async () => {
    await test.database.query('delete from job');
    await test.database.query('delete from pause');
    await test.database.query('delete from operator_action');
    queue.wakeUps.length = 0;
  });
  afterAll(() => test.close());

  const submit = (plan: Partial<JobPlan> = {}) => submitJob(test.database, { steps, ...plan });
  const order = (differs: Partial<PauseOrder> = {}): PauseOrder => ({
    scope: 'all', subject: '', mode: 'pause', reason: 'the renderer is broken', until: null, ...differs,
  });
  const pause = (differs: Partial<PauseOrder> = {}) => pauses.impose(operator, order(differs));
  const take = async (lane: Lane = 'default') =>
    (await claim(test.database, testKeys(test.database), { lane, worker: 'w', idle: true }))?.lease.generationId;
  const takeAll = async () => {
    const taken: string[] = [];
    for (let id = await take(); id !== undefined; id = await take()) taken.push(id);
    return taken;
  };
  const set = (jobId: string, columns: string) =>
    test.database.query(`update generation set ${columns} where job_id = $1`, [jobId]);
  const marks = async () =>
    (await test.database.query('select from generation where paused_by is not null')).length;

  it('keep a lane from being taken, and another not', async () => {
    await submit();
    const other = await submit({ lane: 'chromium' });
    const { id } = await pause({ scope: 'lane', subject: 'default' });
    expect(await take()).toBeUndefined();
    expect(await take('chromium')).toBe(other.generationIds[0]);
    await pauses.lift(operator, id);
    expect(await take()).toBeDefined();
  });

  it('keep a user from being taken, whoever comes first, and what they submit later', async () => {
    const held = await submit({ generations: 3, firstTurn: 1 });
    const free = await submit({ firstTurn: 9 });
    await pause({ scope: 'user', subject: held.userId });
    const later = await submit({ userId: held.userId, firstTurn: 2, generations: 2 });
    expect(await takeAll()).toEqual(free.generationIds);
    expect(await marks()).toBe(held.generationIds.length + later.generationIds.length);
  });

  it('keep a workflow from being taken', async () => {
    const { id } = await createWorkflow(test.database, randomUUID());
    const held = await submit();
    await test.database.query('update job set workflow_id = $2 where id = $1', [held.jobId, id]);
    const free = await submit();
    await pause({ scope: 'workflow', subject: id });
    expect(await takeAll()).toEqual(free.generationIds);
  });

  it('keep what waits for the outside, but in a drain only what has not begun', async () => {
    const begun = await submit();
    await set(begun.jobId, "status = 'waiting', started_at = now(), deadline_at = now() + interval '1 hour'");
    const fresh = await submit();
    const { id } = await pause({ mode: 'drain' });
    expect(await takeAll()).toEqual(begun.generationIds);
    await pauses.lift(operator, id);
    await set(begun.jobId, 'lease_until = null');
    await pause();
    expect(await takeAll()).toEqual([]);
    expect(fresh.generationIds).toHaveLength(1);
  });

  it('do not keep an idle worker waiting for one that must run alone, nor wake anybody', async () => {
    const { jobId } = await submit();
    await set(jobId, "alone = true, wake_at = now() - interval '1 minute'");
    await pause();
    expect(await aloneWaits(test.database, ['default'])).toBe(false);
    expect(await reconciler.sweep()).toMatchObject({ woken: 0 });
  });

  it('let no deadline pass, and give back the time', async () => {
    const { jobId } = await submit();
    await set(jobId, "status = 'waiting', started_at = now(), deadline_at = now() + interval '10 minutes'");
    const { id } = await pause();
    await set(jobId, "deadline_at = now() - interval '5 minutes', paused_at = now() - interval '15 minutes'");
    expect(await reconciler.sweep()).toMatchObject({ timedOut: 0 });
    await pauses.lift(operator, id);
    const [{ left }] = await test.database.query<{ left: number }>(
      'select extract(epoch from deadline_at - now())::float8 as left from generation where job_id = $1', [jobId],
    ) as [{ left: number }];
    expect(left / 60).toBeCloseTo(10, 0);
    expect(queue.wakeUps).toHaveLength(1);
  });

  it('let nothing wait for a worker meanwhile, nor forget how long it had waited before', async () => {
    const early = await submit();
    const { id } = await pause();
    const later = await submit();
    await set(early.jobId, "wake_at = now() - interval '61 minutes', paused_at = now() - interval '1 hour'");
    await set(later.jobId, `wake_at = now() - interval '9 minutes', paused_by = '${id}', paused_at = now() - interval '1 hour'`);
    await pauses.lift(operator, id);
    const rows = await test.database.query<{ seconds: number }>(
      'select extract(epoch from now() - wake_at)::float8 as seconds from generation order by job_id = $1 desc', [early.jobId],
    );
    expect(rows.map(({ seconds }) => Math.round(seconds / 10))).toEqual([6, 0]);
    expect(await takeAll()).toHaveLength(2);
  });

  it('do not fail what nobody has marked yet', async () => {
    const { jobId } = await submit();
    await pause();
    await set(jobId, "status = 'waiting', deadline_at = now() - interval '1 minute', paused_by = null, paused_at = null");
    expect(await reconciler.sweep()).toMatchObject({ timedOut: 0 });
  });

  it('let those behind them join the queue where it stands: they overtake nobody, and nobody overtakes them all', async () => {
    const held = await submit({ generations: 3, firstTurn: 1 });
    const { id } = await pause({ scope: 'user', subject: held.userId });
    const others = await submit({ generations: 6, firstTurn: 1 });
    for (const generation of others.generationIds.slice(0, 3)) {
      expect(await take()).toBe(generation);
      await test.database.query("update generation set status = 'completed', started_at = now() where id = $1", [generation]);
    }
    await pauses.lift(operator, id);
    const taken = await takeAll();
    for (const pair of [taken.slice(0, 2), taken.slice(2, 4), taken.slice(4)]) {
      expect(pair.map((one) => held.generationIds.includes(one)).sort()).toEqual([false, true]);
    }
    expect(taken.filter((one) => held.generationIds.includes(one))).toEqual(held.generationIds);
  });

  it('leave a newcomer the place that they would have without them', async () => {
    const held = await submit({ firstTurn: 1 });
    await pause({ scope: 'user', subject: held.userId });
    const first = await submit({ firstTurn: 500 });
    const [row] = await test.database.query<{ turn: string }>(`select ${standOf({ lane: "'default'", priority: '50' })} as turn`);
    expect(Number(row?.turn)).toBe(499);
    expect(first.generationIds).toHaveLength(1);
  });

  it('hand on to another one that holds the same', async () => {
    const held = await submit({ generations: 2 });
    const { id } = await pause({ scope: 'user', subject: held.userId });
    await pause({ scope: 'lane', subject: 'default' });
    await pauses.lift(operator, id);
    expect(await takeAll()).toEqual([]);
    expect(await marks()).toBe(2);
    expect(queue.wakeUps).toEqual([]);
  });

  it('end for a few users at a time where each has many behind them', async () => {
    for (let user = 0; user < 3; user++) await submit({ generations: 1_500 });
    const { id } = await pause();
    expect(await takeBack(test.database, id)).toHaveLength(3_000);
    await pauses.lift(operator, id);
    expect(await marks()).toBe(0);
  });

  it('end by themselves when their time is over', async () => {
    await submit();
    const { id } = await pause({ until: new Date(Date.now() + 60_000) });
    expect(await take()).toBeUndefined();
    await test.database.query("update pause set until = now() - interval '1 second' where id = $1", [id]);
    expect(await pauses.sweep()).toBe(1);
    expect(await take()).toBeDefined();
    expect(await pauses.inForce()).toEqual([]);
    expect(await pauses.sweep()).toBe(0);
  });

  it('are one of two operators who pause the same at once; and a second lift tells of the first', async () => {
    const both = await Promise.allSettled([pause(), pause()]);
    const refused = both.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(refused.reason).toMatchObject({ code: 'ALREADY_PAUSED', details: { created_by: operator, reason: order().reason } });
    const [{ id } = { id: '' }] = await pauses.inForce();
    const first = await pauses.lift(operator, id);
    expect(await pauses.lift(randomUUID(), id)).toEqual(first);
    await expect(pauses.lift(operator, randomUUID())).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const verbs = await test.database.query<{ verb: string; user_id: string }>('select verb, user_id from operator_action order by id');
    expect(verbs).toEqual([{ verb: 'pause', user_id: operator }, { verb: 'lift', user_id: operator }]);
  });

  it('are refused for what is not there', async () => {
    const of = (differs: Partial<PauseOrder>) => pause(differs).catch(({ code }) => code);
    expect(await of({ scope: 'lane', subject: 'slow' })).toBe('VALIDATION_ERROR');
    expect(await of({ scope: 'workflow', subject: randomUUID() })).toBe('WORKFLOW_NOT_FOUND');
    expect(await of({ scope: 'user', subject: 'me' })).toBe('NOT_FOUND');
  });

  it('let nothing slip while workers take and operators pause and lift', async () => {
    const { userId, generationIds } = await submit({ generations: 60 });
    const found: Array<{ id: string; whilePaused: boolean }> = [];
    let paused = false;
    const worker = async () => {
      for (let round = 0; round < 40; round++) {
        const before = paused;
        const id = await take();
        if (!id) continue;
        found.push({ id, whilePaused: before && paused });
        await test.database.query("update generation set lease_until = 'infinity' where id = $1", [id]);
      }
    };
    const operators = async () => {
      for (let round = 0; round < 5; round++) {
        const { id } = await pause({ scope: 'user', subject: userId });
        paused = true;
        await take();
        paused = false;
        await pauses.lift(operator, id);
      }
    };
    await Promise.all([worker(), worker(), operators()]);
    await pauses.sweep();
    found.push(...(await takeAll()).map((id) => ({ id, whilePaused: false })));
    expect(found.filter(({ whilePaused }) => whilePaused)).toEqual([]);
    expect(await marks()).toBe(0);
    expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
    expect(found.length).toBeLessThanOrEqual(generationIds.length);
  });
});
