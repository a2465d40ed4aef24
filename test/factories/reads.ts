import type { Database } from '#libs/database/database.js';
import { reconcile } from '#libs/credits/reconcile.js';
import { eventually } from '../setup/eventually.js';

interface JobRow {
  status: string;
}

interface GenerationRow {
  id: string;
  status: string;
  run: number;
  lease_until: Date | null;
  deadline_at: Date | null;
  traits: unknown[];
  error: { code: string; message: string; step_id: string | null };
}

interface StepRunRow {
  step_id: string;
  status: string;
  attempt: number;
  output: { value: unknown };
  error: { code: string; message: string };
  /** What a waiting one keeps. */
  reference: unknown;
}

export const jobRow = async (database: Database, jobId: string) =>
  (await database.query<JobRow>('select * from job where id = $1', [jobId]))[0]!;

export const generationRows = (database: Database, jobId: string) =>
  database.query<GenerationRow>('select * from generation where job_id = $1 order by index', [jobId]);

export const stepRuns = (database: Database, jobId: string) =>
  database.query<StepRunRow>(
    `select s.* from step_run s join generation g on g.id = s.generation_id
      where g.job_id = $1 order by g.index, s.step_id, s.attempt`,
    [jobId],
  );

/** Event types in order; fails when their numbers have a gap. */
export async function eventTypes(database: Database, jobId: string): Promise<string[]> {
  const rows = await database.query<{ seq: string; type: string }>(
    'select seq, type from job_history where job_id = $1 order by seq',
    [jobId],
  );
  expect(rows.map(({ seq }) => Number(seq))).toEqual(rows.map((_, index) => index + 1));
  return rows.map(({ type }) => type);
}

export const account = async (database: Database, userId: string) => {
  const [row] = await database.query<{ balance: string; held: string; open_generations: number }>(
    'select balance, held, open_generations from account where user_id = $1',
    [userId],
  );
  return { balance: Number(row!.balance) / 1e6, held: Number(row!.held) / 1e6, open: row!.open_generations };
};

/** Connections of this database that wait for a lock. */
export async function waitingForLocks(database: Database): Promise<number> {
  const [row] = await database.query<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return row!.count;
}

export async function jobEnds(database: Database, jobId: string, status: string, timeoutMs = 10_000) {
  await eventually(async () => expect((await jobRow(database, jobId)).status).toBe(status), timeoutMs);
}

export async function booksAreRight(database: Database): Promise<void> {
  expect((await reconcile(database)).drift).toEqual([]);
}
