import { randomUUID } from 'node:crypto';
import {
  LeaseLost, type Attempt, type StepFailure, type StepOutput, type StepStart, type StepWaiting,
} from '#libs/engine/generation-store.js';
import type { EventDetail } from '#libs/events/job-event.js';
import type { ChangedGeneration, JobChange } from './job-transaction.js';
import { eventOf } from './settlement.js';

/** How an attempt ends. */
export interface AttemptEnd {
  output?: StepOutput;
  error?: Omit<StepFailure, 'logs'>;
  logs: string[];
  retryInMs?: number | null;
}

/** One row per attempt, each with a token of its own, written before the node runs. */
export async function beginAttempts(
  change: JobChange,
  generation: ChangedGeneration,
  starts: StepStart[],
  alone: boolean,
): Promise<Attempt[]> {
  const rows = await change.tx.query<AttemptRow>(BEGIN, [
    generation.id,
    generation.run,
    alone,
    starts.map(({ stepId }) => stepId),
    starts.map(({ node }) => node),
    starts.map(({ alias }) => alias),
    starts.map(() => randomUUID()),
    starts.map(({ inputDigest }) => inputDigest),
  ]);
  const attempts = rows.map(attemptOf);
  for (const { stepId, node, alias } of starts) {
    const attempt = attempts.find((candidate) => candidate.stepId === stepId)?.number;
    const step = { step_id: stepId, node, ...(alias && { alias }) };
    change.emit('node_started', { ...eventOf(generation), ...step, attempt, progress: 0 });
  }
  return attempts;
}

/** Ends an open attempt; throws `LeaseLost` when somebody else has. Returns how events name its step. */
export async function closeAttempt(
  change: JobChange,
  attempt: Attempt,
  status: 'completed' | 'failed',
  end: AttemptEnd,
): Promise<{ event: EventDetail; retryAt: Date | null }> {
  const [row] = await change.tx.query<ClosedRow>(CLOSE, [
    attempt.id, status, jsonOrNull(end.output), jsonOrNull(end.error), JSON.stringify(end.logs),
    end.retryInMs ?? null, change.now,
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

interface AttemptRow {
  id: string;
  step_id: string;
  attempt: number;
  token: string;
}

interface ClosedRow {
  node: string;
  alias: string | null;
  wake_at: Date | null;
}

const attemptOf = (row: AttemptRow): Attempt => ({
  id: row.id,
  stepId: row.step_id,
  number: row.attempt,
  token: row.token,
});

const jsonOrNull = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value));

const BEGIN = `
  insert into step_run (generation_id, run, alone, step_id, node, alias, token, input_digest, attempt)
  select $1, $2, $3, s.step_id, s.node, s.alias, s.token, s.input_digest,
         1 + coalesce((select max(attempt) from step_run r where r.generation_id = $1 and r.step_id = s.step_id), 0)
    from unnest($4::bigint[], $5::text[], $6::text[], $7::uuid[], $8::text[])
      as s (step_id, node, alias, token, input_digest)
  returning id, step_id, attempt, token`;

const CLOSE = `
  update step_run
     set status = $2, output = $3, error = $4, logs = $5, completed_at = $7,
         progress = case when $2 = 'completed' then 1 else progress end,
         wake_at = clock_timestamp() + make_interval(secs => $6::float8 / 1000)
   where id = $1 and status in ('running', 'waiting') returning node, alias, wake_at`;

const WAIT = `
  update step_run
     set status = 'waiting', reference = $2, logs = logs || $5::jsonb,
         wake_at = clock_timestamp() + make_interval(secs => $3::float8 / 1000),
         deadline_at = coalesce(deadline_at, clock_timestamp() + make_interval(secs => $4::float8 / 1000))
   where id = $1 and status in ('running', 'waiting') returning id`;
