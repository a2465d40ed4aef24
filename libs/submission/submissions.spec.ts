import { Ledger } from '#libs/credits/ledger.js';
import { toMicroCredits } from '#libs/credits/micro-credits.js';
import { reconcile } from '#libs/credits/reconcile.js';
import { AppError } from '#libs/errors/app-error.js';
import { signals } from '#libs/tracepoints/signals.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { buildSubmission, createUser } from '../../test/factories/job-submission.js';
import { AnnouncedMessages, AnnouncedWakeUps } from '../../test/factories/submitting.js';
import type { JobSubmission } from './job-submission.js';
import { Submissions } from './submissions.js';

describe('Submissions', () => {
  let db: TestDatabase;
  let queue: AnnouncedWakeUps;
  let bus: AnnouncedMessages;
  let submissions: Submissions;

  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(() => db.close());

  beforeEach(async () => {
    await db.database.query('truncate job cascade');
    queue = new AnnouncedWakeUps();
    bus = new AnnouncedMessages();
    submissions = new Submissions(db.database, new Ledger(), queue, bus);
  });

  const credits = (base: number, perGeneration: number) => ({
    base: toMicroCredits(base),
    perGeneration: toMicroCredits(perGeneration),
  });
  const submit = (job: JobSubmission) => db.database.transaction((tx) => submissions.submit(tx, job));
  const queued = (priority = 50) =>
    db.database.query<{ user_id: string; turn: string }>(
      `select user_id, turn from generation where lane = 'default' and status = 'pending' and priority = $1
        order by priority desc, turn, id`,
      [priority],
    );
  const claimNext = () =>
    db.database.query(
      `update generation set status = 'processing', started_at = now() where id = (
         select id from generation where status = 'pending' order by priority desc, turn, id limit 1)`,
    );

  it('announces the generations and the first event once they are committed', async () => {
    const job = buildSubmission(await createUser(db.database), { count: 2, lane: 'chromium' });
    const counted: unknown[] = [];
    const stop = signals.submitted.listen((fact) => counted.push(fact));
    await submit(job);
    stop();
    expect(counted).toEqual([{ workflowId: job.workflow?.id ?? null, face: job.face, generations: 2 }]);
    expect(queue.wakeUps).toEqual(
      job.generations.map(({ id }) => ({ lane: 'chromium', generationId: id, dispatch: 1 })),
    );
    const [event] = await db.database.query<{ at: Date }>('select seq, type, data, at from job_history');
    expect(event).toEqual({ seq: '1', type: 'job_queued', data: { status: 'pending' }, at: expect.any(Date) });
    expect(bus.messages).toEqual([
      {
        kind: 'events', jobId: job.id, userId: job.userId, collectionId: null, seq: 1,
        events: [
          { seq: 1, type: 'job_queued', job_id: job.id, status: 'pending', at: event?.at.toISOString() },
        ],
      },
    ]);
  });

  it('writes and announces nothing when the price cannot be held', async () => {
    const job = buildSubmission(await createUser(db.database, 1), { price: credits(0, 0.6), count: 2 });
    await expect(submit(job)).rejects.toMatchObject({
      code: 'INSUFFICIENT_CREDITS',
      details: { required: 1.2, available: 1, cost_breakdown: job.breakdown },
    });
    expect(await db.database.query('select 1 from job union all select 1 from generation')).toEqual([]);
    expect([...queue.wakeUps, ...bus.messages]).toEqual([]);
  });

  it('lets one of 50 at once through when there is credit for one', async () => {
    const userId = await createUser(db.database, 1);
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () =>
        submit(buildSubmission(userId, { price: credits(0.25, 0.75) })).then(
          () => 'accepted',
          (error: unknown) => (error as AppError).code,
        ),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'INSUFFICIENT_CREDITS')).toHaveLength(49);
    expect(await db.database.query('select balance, held from account where user_id = $1', [userId])).toEqual([
      { balance: '1000000', held: '1000000' },
    ]);
    const { drift } = await reconcile(db.database);
    expect(drift.filter(({ user_id }) => user_id === userId)).toEqual([]);
  });

  it('refuses more open generations than the plan allows, also when they come at once', async () => {
    const userId = await createUser(db.database);
    const job = buildSubmission(userId);
    const plan = { ...job.plan, maxOpenGenerations: 3 };
    const outcomes = await Promise.allSettled(
      [2, 2].map((count) => submit(buildSubmission(userId, { count, plan }))),
    );
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.map(({ reason }) => (reason as AppError).code)).toEqual(['TOO_MANY_INFLIGHT']);
  });

  it('caps the priority at what the plan allows', async () => {
    const job = buildSubmission(await createUser(db.database), { priority: 90 });
    await submit({ ...job, plan: { ...job.plan, maxPriority: 60 } });
    expect(await db.database.query('select j.priority as job, g.priority from job j, generation g')).toEqual([
      { job: 60, priority: 60 },
    ]);
  });

  it('lets two users take turns, whoever came first and with however many', async () => {
    const [many, few] = [await createUser(db.database), await createUser(db.database)];
    await submit(buildSubmission(many, { count: 100 }));
    await claimNext();
    await claimNext();
    await submit(buildSubmission(few, { count: 2 }));
    await submit(buildSubmission(few));
    const names = new Map([[many, 'many'], [few, 'few']]);
    expect((await queued()).slice(0, 7).map(({ user_id }) => names.get(user_id))).toEqual([
      'many', 'few', 'many', 'few', 'many', 'few', 'many',
    ]);
  });

  it('gives every generation of a user a turn of its own, also when they are submitted at once', async () => {
    const userId = await createUser(db.database);
    await Promise.all(Array.from({ length: 20 }, () => submit(buildSubmission(userId, { count: 3 }))));
    const turns = (await queued()).map(({ turn }) => Number(turn));
    expect(turns).toEqual(Array.from({ length: 60 }, (_, position) => position + 1));
  });

  it('puts a newcomer at the head of the queue although an urgent generation overtook it', async () => {
    const [many, newcomer] = [await createUser(db.database), await createUser(db.database)];
    await submit(buildSubmission(many, { count: 50 }));
    await submit(buildSubmission(many, { priority: 100 }));
    await claimNext();
    await submit(buildSubmission(newcomer));
    const position = (await queued()).findIndex(({ user_id }) => user_id === newcomer);
    expect(position).toBeLessThanOrEqual(1);
  });
});
