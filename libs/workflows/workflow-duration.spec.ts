import type { StoredWorkflow } from './stored-workflow.js';
import { createUser } from '../../test/factories/job-submission.js';
import { createWorkflow } from '../../test/factories/workflow.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { DurationEstimates, secondsPerGeneration } from './workflow-duration.js';

describe(DurationEstimates.name, () => {
  let db: TestDatabase;
  let workflow: StoredWorkflow;
  let userId: string;

  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(() => db.close());
  beforeEach(async () => {
    userId = await createUser(db.database);
    workflow = await createWorkflow(db.database, userId);
  });

  /** A job of this workflow that took `seconds`, or waits with its generations' turns. */
  const job = async (seconds: number | null, generations: number, turns: number[] = [], owner = userId) => {
    const [row] = await db.database.query<{ id: string }>(
      `insert into job (id, user_id, workflow_id, name, job_type, status, priority, instruction_set, generations,
                        started_at, completed_at)
       select gen_random_uuid(), $1, $2, 'A job', 'collection_generation',
              case when $3::float8 is null then 'pending' else 'completed' end, 50, '{}', $4,
              now() - make_interval(secs => $3::float8), case when $3::float8 is null then null else now() end
       returning id`,
      [owner, workflow.id, seconds, generations],
    );
    for (const [index, turn] of turns.entries()) {
      await db.database.query(
        `insert into generation (id, job_id, user_id, index, hash, lane, priority, turn, price, wake_at)
         values (gen_random_uuid(), $1, $2, $3, 'oo', 'default', 50, $4, 0, now())`,
        [row?.id, owner, index, turn],
      );
      await db.database.query(
        `update account set last_turns = jsonb_build_object('default', $2::bigint),
                open_generations = open_generations + 1 where user_id = $1`,
        [owner, turn],
      );
    }
  };
  const estimate = (generations = 1, data = workflow.data) =>
    new DurationEstimates(db.database).until({ id: workflow.id, data }, generations, { userId, lane: 'default' });

  it('is a default, else the hint, times the generations', async () => {
    expect(await estimate(2)).toBe(20);
    expect(await estimate(2, { ...workflow.data, estimated_duration: 3 })).toBe(6);
  });

  it('is the median of what a generation took lately, whatever the hint says', async () => {
    for (const [seconds, generations] of [[2, 1], [8, 2], [1_000, 1]] as const) await job(seconds, generations);
    expect(await estimate(3, { ...workflow.data, estimated_duration: 99 })).toBeCloseTo(12, 1);
  });

  it('looks at the last twenty jobs only, and at those of this workflow', async () => {
    for (let index = 0; index < 20; index++) await job(5, 1);
    await db.database.query(
      `update job set completed_at = completed_at - interval '1 day', started_at = started_at - interval '2 days'
        where id in (select id from job where workflow_id = $1 limit 1)`,
      [workflow.id],
    );
    const other = await createWorkflow(db.database, userId);
    const seconds = await secondsPerGeneration(db.database, [workflow, other]);
    expect(seconds.get(workflow.id)).toBeCloseTo(5, 1);
    expect(seconds.get(other.id)).toBe(10);
  });

  it('adds those whose turn comes before, and not all that another user has waiting', async () => {
    const other = await createUser(db.database);
    await job(null, 50, Array.from({ length: 50 }, (_, index) => index + 1), other);
    expect(await estimate(1)).toBe(20);
    expect(await estimate(3)).toBe(60);
    await job(null, 2, [1, 2]);
    expect(await estimate(1)).toBe(60);
    // What its user has not begun is in nobody's way.
    await db.database.query('update generation set wake_at = null where turn < 3 and user_id <> $1', [other]);
    expect(await estimate(1)).toBeLessThan(60);
  });

  it('does not ask for each submission by itself', async () => {
    const estimates = new DurationEstimates(db.database);
    const queries = jest.spyOn(db.database, 'query');
    const ask = () => estimates.until(workflow, 1, { userId, lane: 'default' });
    await Promise.all(Array.from({ length: 20 }, ask));
    expect(queries).toHaveBeenCalledTimes(2);
    queries.mockRestore();
  });

  it('counts what is more urgent, and starts where a queue that moved on stands', async () => {
    const other = await createUser(db.database);
    await db.database.query('delete from generation');
    await job(null, 3, [901, 902, 903], other);
    expect(await estimate(1)).toBe(20);
    await db.database.query('update generation set priority = 90 where turn > 901');
    expect(await estimate(1)).toBe(40);
    await db.database.query('delete from generation');
  });
});
