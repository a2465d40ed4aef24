import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';

const LOOK_EVERY_MS = 50;
const PATIENCE_MS = 10 * 60_000;

/** Jobs made at or after a moment: an id of version 7 begins with its time, so that the key finds them. */
const MADE_SINCE = `id >= (lpad(to_hex(greatest(0, extract(epoch from $1::timestamptz) * 1000 - 1000)::bigint), 12, '0')
  || '00000000000000000000')::uuid and created_at >= $1`;
const EVER = new Date(0);

/** Waits until every job made after `since` has ended, and fails when one has not completed. */
export async function allCompleted(rows: pg.Client, since = EVER): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const { rows: [job] } = await rows.query<{ open: number; bad: number }>(
      `select count(*) filter (where status in ('pending', 'processing'))::int as open,
              count(*) filter (where status in ('failed', 'cancelled'))::int as bad from job where ${MADE_SINCE}`,
      [since],
    );
    if (job?.bad) throw new Error(`${job.bad} jobs have failed`);
    if (job?.open === 0) return;
    if (Date.now() > deadline) throw new Error(`${job?.open} jobs do not end`);
    await delay(LOOK_EVERY_MS);
  }
}

/** Seconds from the first submission to the last end of the jobs that were made after `since`. */
export async function secondsOfWork(rows: pg.Client, since: Date): Promise<number> {
  const { rows: [span] } = await rows.query<{ seconds: number | null }>(
    `select extract(epoch from max(completed_at) - min(created_at))::float8 as seconds from job
      where ${MADE_SINCE}`,
    [since],
  );
  if (!span?.seconds) throw new Error('No job has ended');
  return span.seconds;
}

/** The database's clock. */
export async function clockOf(rows: pg.Client): Promise<Date> {
  const { rows: [clock] } = await rows.query<{ now: Date }>('select clock_timestamp() as now');
  if (!clock) throw new Error('The database has no clock');
  return clock.now;
}
