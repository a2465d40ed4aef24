import { isSealed } from '#libs/encryption/collection-seal.js';
import type { EventError } from '#libs/events/job-event.js';
import type { ChangedGeneration, JobChange } from './job-transaction.js';

export interface GenerationError {
  code: string;
  message: string;
  step_id: string | null;
}

/** How an event names its generation. */
export const eventOf = (generation: ChangedGeneration) => ({
  generation_id: generation.id,
  generation_index: generation.index,
  hash: generation.hash,
});

/** What is read of a generation when it changes. */
export const CHANGED_COLUMNS = 'id, index, hash, run, price';

export interface ChangedRow {
  id: string;
  index: number;
  hash: string;
  run: number;
  price: string;
}

export const changedGeneration = (row: ChangedRow): ChangedGeneration => ({
  id: row.id,
  index: row.index,
  hash: row.hash,
  run: row.run,
  price: BigInt(row.price),
});

/** Ends a generation without a result and gives its price back. What its steps made stays hidden. */
export async function failGeneration(
  change: JobChange,
  generation: ChangedGeneration,
  error: GenerationError,
): Promise<void> {
  await change.tx.query(
    `update generation set status = 'failed', error = $2, completed_at = $3, lease_until = null, leased_by = null,
       wake_at = null where id = $1`,
    [generation.id, JSON.stringify(error), change.now],
  );
  await endOpenSteps(change, [generation.id]);
  change.released(generation, 'failed');
  change.emit('generation_failed', {
    ...eventOf(generation),
    status: 'failed',
    ...(error.step_id && { step_id: error.step_id }),
    error: toldError(error),
  });
  change.finish();
}

/** What events tell of it; one that is sealed is told as it is. */
const toldError = ({ step_id: _step, ...error }: GenerationError): EventError =>
  isSealed(error) ? error : { code: error.code, message: error.message };

/** Closes attempts that nobody will finish; what they started outside is marked to be cancelled there. */
export async function endOpenSteps(change: JobChange, generationIds: string[]): Promise<void> {
  await change.tx.query(
    `update step_run set status = 'cancelled', completed_at = $2, external_cancel_due = reference is not null
      where generation_id = any($1) and status in ('running', 'waiting')`,
    [generationIds, change.now],
  );
}
