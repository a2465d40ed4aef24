import { randomUUID } from 'node:crypto';
import { submitJob } from '../../test/factories/job.js';
import { eventually } from '../../test/setup/eventually.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { Metrics } from './metrics.js';
import { measureRows } from './row-metrics.js';

const STEPS = [{ id: 'a', nodeName: 'javascript', nodePayload: { code: 'return 1' } }];

let test: TestDatabase;
const workflowIds: string[] = [];
const LAST_OF_EACH = ['platen_overdue_reservations', 'platen_ledger_drift_accounts', 'platen_storage_files'];

beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.close());
// A reading that was left behind may still hold what is emptied: one of the two gives way, and is tried again.
afterEach(() => test.database.change('truncate account, workflow, flat_file cascade', []));

/** A page as a process that has just started would give it, `complete` once all has been read. */
async function read(complete = true): Promise<Map<string, number>> {
  const metrics = new Metrics();
  measureRows(metrics, test.database, { generationTimeoutMs: 60_000, workflowIds: () => workflowIds });
  let text = await metrics.text();
  const deadline = Date.now() + (complete ? 15_000 : 0);
  while (Date.now() < deadline && !LAST_OF_EACH.every((name) => text.includes(`\n${name} `))) {
    text = await metrics.text();
  }
  const lines = text.split('\n').filter((line) => line.startsWith('platen_'));
  metrics.close();
  return new Map(lines.map((line) => [line.replace(/ \S+$/, ''), Number(/\S+$/.exec(line)![0])]));
}

const change = (sql: string) => test.database.query(`update generation set ${sql}`);

describe('metrics of rows', () => {
  it('are all zero, and there, when nothing is', async () => {
    const page = await read();
    for (const name of ['oldest_unfinished_age_seconds', 'oldest_queued_age_seconds', 'longest_without_progress_seconds',
      'overdue_reservations', 'ledger_drift_accounts', 'users_with_open_generations', 'credits_held', 'storage_bytes']) {
      expect([name, page.get(`platen_${name}`)]).toEqual([name, 0]);
    }
  });

  it('say how many generations are open, in which lane, and for how many users', async () => {
    for (const lane of ['chromium', 'chromium', 'default'] as const) {
      await submitJob(test.database, { steps: STEPS, generations: 2, lane, price: 1.5, basePrice: 1 });
    }
    await change(`status = 'completed', completed_at = now() where index = 0 and lane = 'default'`);
    const page = await read();
    expect(page.get('platen_open_generations{lane="chromium",status="pending"}')).toBe(4);
    expect(page.get('platen_open_generations{lane="default",status="pending"}')).toBe(1);
    expect(page.get('platen_users_with_open_generations')).toBe(3);
    expect(page.get('platen_credits_held')).toBe(12);
  });

  it('tell of what is paused, and do not call it stuck', async () => {
    await submitJob(test.database, { steps: STEPS });
    const pause = randomUUID();
    await test.database.query(
      `insert into pause (id, scope, subject, mode, reason, created_by) values ($1, 'lane', 'default', 'drain', 'x', $1)`, [pause],
    );
    await change(`created_at = now() - interval '90 s', wake_at = now() - interval '70 s', deadline_at = now() - interval '70 s',
      paused_by = '${pause}', paused_at = now() - interval '80 s'`);
    const page = await read();
    expect(page.get('platen_open_generations{lane="default",status="paused"}')).toBe(1);
    expect(page.get('platen_pauses{scope="lane",mode="drain"}')).toBe(1);
    for (const name of ['oldest_unfinished_age_seconds', 'oldest_queued_age_seconds', 'overdue_reservations']) {
      expect([name, page.get(`platen_${name}`)]).toEqual([name, 0]);
    }
    await change('paused_by = null');
    await test.database.query('delete from pause');
  });

  it('know what is paused before any worker has met it', async () => {
    await submitJob(test.database, { steps: STEPS });
    await submitJob(test.database, { steps: STEPS, lane: 'chromium' });
    await test.database.query(
      `insert into pause (id, scope, subject, mode, reason, created_by) values ($1, 'lane', 'default', 'pause', 'x', $1)`, [randomUUID()],
    );
    await change(`wake_at = now() - interval '70 s' where lane = 'default'`);
    const page = await read();
    expect(page.get('platen_open_generations{lane="default",status="paused"}')).toBe(1);
    expect(page.get('platen_open_generations{lane="chromium",status="pending"}')).toBe(1);
    expect(page.get('platen_oldest_queued_age_seconds')).toBeLessThan(60);
    await test.database.query('delete from pause');
  });

  it('tell of work that nobody takes', async () => {
    await submitJob(test.database, { steps: STEPS });
    await change(`created_at = now() - interval '90 s', wake_at = now() - interval '70 s'`);
    const page = await read();
    expect(page.get('platen_oldest_unfinished_age_seconds')).toBeCloseTo(90, -1);
    expect(page.get('platen_oldest_queued_age_seconds')).toBeCloseTo(70, -1);
    expect(page.get('platen_longest_without_progress_seconds')).toBe(0);
  });

  it('tell of work that is held and does not move, and of what should have ended', async () => {
    await submitJob(test.database, { steps: STEPS });
    await change(`status = 'processing', lease_until = now() + interval '10 s', started_at = now() - interval '300 s',
      deadline_at = now() - interval '61 s'`);
    await test.database.query(
      `insert into step_run (generation_id, run, step_id, attempt, node, token, started_at)
       select id, 1, 1, 1, 'javascript', gen_random_uuid(), now() - interval '200 s' from generation`,
    );
    const page = await read();
    expect(page.get('platen_longest_without_progress_seconds')).toBeCloseTo(200, -1);
    expect(page.get('platen_oldest_queued_age_seconds')).toBe(0);
    expect(page.get('platen_overdue_reservations')).toBe(1);
  });

  it('take a resumed generation for as old as its run, and do not wait for what nobody started', async () => {
    await submitJob(test.database, { steps: STEPS, generations: 2 });
    await change(`created_at = now() - interval '9 days', run = 2, wake_at = now() - interval '5 s' where index = 0`);
    await change(`created_at = now() - interval '1 day', wake_at = null where index = 1`);
    expect((await read()).get('platen_oldest_unfinished_age_seconds')).toBeLessThan(60);
  });

  it.each([
    ['holds more than what is open costs', 'update account set held = held + 1, balance = balance + 1'],
    ['holds the base cost of a job that has none open', `update generation set status = 'failed', completed_at = now()`],
    ['counts more open generations than there are', 'update account set open_generations = 7'],
  ])('find an account that %s', async (_what, sql) => {
    await submitJob(test.database, { steps: STEPS, basePrice: 1 });
    await submitJob(test.database, { steps: STEPS, basePrice: 0 });
    expect((await read()).get('platen_ledger_drift_accounts')).toBe(0);
    await test.database.query(`${sql} where user_id = (select user_id from job where base_price > 0 limit 1)`);
    expect((await read()).get('platen_ledger_drift_accounts')).toBe(1);
  });

  it('say what is stored, and what workflows are called', async () => {
    const [id, userId] = [randomUUID(), randomUUID()];
    await test.database.query(
      `insert into flat_file (user_id, name, storage_key, size, sha256, deleted_at, missing_since)
       values ($1, 'a', 'a', 1000, '', null, null), ($1, 'b', 'b', 500, '', null, now()), ($1, 'c', 'c', 70, '', now(), now())`,
      [userId],
    );
    await test.database.query(
      `insert into workflow (id, user_id, name, type, data) values ($1, $2, 'rings "of fire"', 'basic', '{}')`,
      [id, userId],
    );
    workflowIds.push(id);
    const page = await read();
    expect([page.get('platen_storage_bytes'), page.get('platen_storage_files')]).toEqual([1500, 2]);
    expect(page.get('platen_storage_missing_files')).toBe(1);
    expect(page.get(`platen_workflow_info{workflow="${id}",name="rings \\"of fire\\""}`)).toBe(1);
  });

  it('are left out one and all when the database is away, also those that were read before', async () => {
    await submitJob(test.database, { steps: STEPS });
    let isAway = false;
    const database = { transaction: (work: never) => (isAway ? Promise.reject(new Error('away')) : test.database.transaction(work)) };
    const metrics = new Metrics();
    measureRows(metrics, database as never, { generationTimeoutMs: 60_000, workflowIds: () => [] });
    await eventually(async () => expect(await metrics.text()).toContain('platen_open_generations{'));
    isAway = true;
    const clock = jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 600_000);
    const page = await metrics.text();
    clock.mockRestore();
    metrics.close();
    expect(page.split('\n').filter((line) => line.startsWith('platen_'))).toEqual([]);
  });

  it('are left out, instead of old, when the database does not answer', async () => {
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    let lock: Promise<void> | undefined;
    await new Promise<void>((resolve) => {
      lock = test.database.transaction(async (tx) => {
        await tx.query('lock table generation in access exclusive mode');
        resolve();
        await released;
      });
    });
    const startedAt = Date.now();
    const page = await read(false);
    release();
    await lock;
    expect(Date.now() - startedAt).toBeLessThan(8_000);
    expect([...page.keys()].filter((name) => /_age_|progress|drift/.test(name))).toEqual([]);
  });
});
