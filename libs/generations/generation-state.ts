import type { Transaction } from '#libs/database/database.js';
import type { GenerationState, StepOutput, StepRecord, WaitingAttempt } from '#libs/engine/generation-store.js';
import type { Json } from '#libs/instruction-set/instruction-set.js';

/** Error code of an attempt whose worker died under it. */
export const WORKER_LOST = 'WORKER_LOST';

interface StepRunRow {
  id: string;
  step_id: string;
  attempt: number;
  run: number;
  status: 'running' | 'waiting' | 'completed' | 'failed' | 'cancelled';
  token: string;
  reference: Json;
  output: StepOutput | null;
  code: string | null;
  due_in: number | null;
  timeout_in: number | null;
}

export type StepRuns = Pick<GenerationState, 'finished' | 'waiting' | 'records'>;

/** What the attempts so far leave to do. Only the current run's failures count. */
export async function loadStepRuns(tx: Transaction, generationId: string, run: number): Promise<StepRuns> {
  const rows = await tx.query<StepRunRow>(STEP_RUNS, [generationId]);
  const runs: StepRuns = { finished: new Map(), waiting: [], records: new Map() };
  for (const row of rows) {
    if (row.status === 'completed') runs.finished.set(row.step_id, row.output as StepOutput);
    else if (row.status === 'waiting') runs.waiting.push(waitingAttempt(row));
    runs.records.set(row.step_id, advance(runs.records.get(row.step_id), row, run));
  }
  return runs;
}

const waitingAttempt = (row: StepRunRow): WaitingAttempt => ({
  id: row.id,
  stepId: row.step_id,
  number: row.attempt,
  token: row.token,
  reference: row.reference,
  dueInMs: row.due_in,
  timeoutInMs: row.timeout_in,
});

function advance(before: StepRecord | undefined, row: StepRunRow, run: number): StepRecord {
  const lost = row.status === 'failed' && row.code === WORKER_LOST;
  const counts = row.run === run && row.status === 'failed';
  return {
    attempts: row.attempt,
    failures: (before?.failures ?? 0) + (counts && !lost ? 1 : 0),
    retryInMs: counts ? row.due_in : null,
    lostToken: lost ? row.token : null,
  };
}

const STEP_RUNS = `
  select id, step_id, attempt, run, status, token, reference, output, error ->> 'code' as code,
         (extract(epoch from wake_at - clock_timestamp()) * 1000)::float8 as due_in,
         (extract(epoch from deadline_at - clock_timestamp()) * 1000)::float8 as timeout_in
    from step_run where generation_id = $1 order by step_id, attempt`;
