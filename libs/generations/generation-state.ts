import type { CollectionSeal } from '#libs/encryption/collection-seal.js';
import type { GenerationState, StepOutput, StepRecord, WaitingAttempt } from '#libs/engine/generation-store.js';
import type { InstructionSet, Json } from '#libs/instruction-set/instruction-set.js';
import { STORAGE_FAILED } from '#libs/nodes/node.js';
import { resolveVariables } from '#libs/instruction-set/variables.js';

/** Error code of an attempt whose worker died under it. */
export const WORKER_LOST = 'WORKER_LOST';
/** Of one that was broken off, for another worker to do again. */
export const HANDED_BACK = 'HANDED_BACK';

/** A claimed generation with its job's part and all attempts so far. */
export interface ClaimedRow {
  id: string;
  job_id: string;
  lease: string;
  alone: boolean;
  index: number;
  hash: string;
  run: number;
  wake_seq: string;
  resumed: boolean;
  user_id: string;
  collection_id: string | null;
  workflow_id: string | null;
  generations: number;
  wake_at: Date;
  instruction_set: InstructionSet;
  /** What follows is sealed: see `openedClaim`. */
  encrypted: boolean;
  shows_all: Json;
  renders: Json;
  files: string[] | null;
  trace: string | null;
  attempts: AttemptRow[] | null;
}

/** An attempt as JSON: ids are numbers. */
export interface AttemptRow {
  id: number;
  step_id: number;
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

/** The attempts of a generation `g`, in order. */
export const ATTEMPTS = `(
    select jsonb_agg(jsonb_build_object(
             'id', s.id, 'step_id', s.step_id, 'attempt', s.attempt, 'run', s.run, 'status', s.status,
             'token', s.token, 'reference', s.reference, 'output', s.output, 'code', s.error ->> 'code',
             'due_in', extract(epoch from s.wake_at - clock_timestamp()) * 1000,
             'timeout_in', extract(epoch from s.deadline_at - clock_timestamp()) * 1000)
             order by s.step_id, s.attempt)
      from step_run s where s.generation_id = g.id)`;

/** Outputs of other collections are looked up when the generation begins. */
export function stateOf(row: ClaimedRow, seal?: CollectionSeal): GenerationState {
  const { values, traits } = resolveVariables(row.instruction_set.variables, row.hash);
  return {
    jobId: row.job_id,
    generationId: row.id,
    userId: row.user_id,
    collectionId: row.collection_id,
    index: row.index,
    hash: row.hash,
    run: row.run,
    resumed: row.resumed,
    workflowId: row.workflow_id,
    editions: row.generations,
    dueAt: row.wake_at,
    instructionSet: row.instruction_set,
    showsAll: row.shows_all === true,
    renders: row.renders === true,
    files: row.files && new Set(row.files),
    values,
    traits,
    foreign: new Map(),
    ...(row.trace !== null && { trace: row.trace }),
    ...(seal && { seal }),
    wakeSeq: Number(row.wake_seq),
    ...stepRunsOf(row.attempts ?? [], row.run),
  };
}

/** What the attempts so far leave to do. Only the current run's failures count. */
function stepRunsOf(rows: AttemptRow[], run: number): Pick<GenerationState, 'finished' | 'waiting' | 'records'> {
  const finished = new Map<string, StepOutput>();
  const waiting: WaitingAttempt[] = [];
  const records = new Map<string, StepRecord>();
  for (const row of rows) {
    const stepId = String(row.step_id);
    if (row.status === 'completed') finished.set(stepId, row.output as StepOutput);
    else if (row.status === 'waiting') waiting.push(waitingAttempt(row));
    records.set(stepId, advance(records.get(stepId), row, run));
  }
  return { finished, waiting, records };
}

const waitingAttempt = (row: AttemptRow): WaitingAttempt => ({
  id: String(row.id),
  stepId: String(row.step_id),
  number: row.attempt,
  token: row.token,
  reference: row.reference,
  dueInMs: row.due_in,
  timeoutInMs: row.timeout_in,
});

function advance(before: StepRecord | undefined, row: AttemptRow, run: number): StepRecord {
  const lost = row.status === 'failed' && row.code === WORKER_LOST;
  const counts = row.run === run && row.status === 'failed';
  return {
    attempts: row.attempt,
    failures: (before?.failures ?? 0) + (counts && !lost ? 1 : 0),
    retryInMs: counts ? row.due_in : null,
    lostTokens: tokensAfter(row, before?.lostTokens ?? []),
  };
}

/** Of these codes nobody knows how far the outside came, or it was done: they are no verdict on its work. */
const OPEN = new Set([WORKER_LOST, HANDED_BACK, STORAGE_FAILED]);

function tokensAfter({ status, code, token }: AttemptRow, before: string[]): string[] {
  if (status === 'waiting') return before;
  return code !== null && OPEN.has(code) ? [...before, token] : [];
}
