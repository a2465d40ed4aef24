import { LeaseLost, type Attempt, type StepFailure, type StepWaiting } from '#libs/engine/generation-store.js';
import type { EventDetail } from '#libs/events/job-event.js';
import type { JobChange } from './job-transaction.js';


/**
 * Ends an open attempt, and has stopped what it waited for outside; throws `LeaseLost` when somebody else has
 * ended it. Returns how events name its step.
 */
export async function failAttempt(
  change: JobChange,
  attempt: Attempt,
  { logs, ...error }: StepFailure,
  retryInMs: number | null,
): Promise<{ event: EventDetail; retryAt: Date | null }> {
  const [row] = await change.tx.query<ClosedRow>(FAIL, [
    attempt.id, JSON.stringify(error), JSON.stringify(logs), retryInMs, change.now,
  ]);
  if (!row) throw new LeaseLost();
  const event = { step_id: attempt.stepId, node: row.node, ...(row.alias && { alias: row.alias }) };
  return { event, retryAt: row.wake_at };
}

/** Stores what the attempt waits for; its first deadline stays. */
export async function letAttemptWait({ tx }: JobChange, attempt: Attempt, waiting: StepWaiting): Promise<void> {
  const rows = await tx.query(WAIT, [
    attempt.id, JSON.stringify(waiting.reference), waiting.pollAfterMs, waiting.timeoutMs, JSON.stringify(waiting.logs),
  ]);
  if (rows.length === 0) throw new LeaseLost();
}

interface ClosedRow {
  node: string;
  alias: string | null;
  wake_at: Date | null;
}

const FAIL = `
  update step_run
     set status = 'failed', error = $2, logs = $3, completed_at = $5, external_cancel_due = reference is not null,
         wake_at = clock_timestamp() + make_interval(secs => $4::float8 / 1000)
   where id = $1 and status in ('running', 'waiting') returning node, alias, wake_at`;

const WAIT = `
  update step_run
     set status = 'waiting', reference = $2, logs = logs || $5::jsonb,
         wake_at = clock_timestamp() + make_interval(secs => $3::float8 / 1000),
         deadline_at = coalesce(deadline_at, clock_timestamp() + make_interval(secs => $4::float8 / 1000))
   where id = $1 and status in ('running', 'waiting') returning id`;
