import { keepFiles } from '#libs/assets/asset-rows.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import type { CollectionSeal } from '#libs/encryption/collection-seal.js';
import { storedError } from '#libs/encryption/sealed-error.js';
import type { Database } from '#libs/database/database.js';
import {
  LeaseLost, type Attempt, type Claim, type ClaimRequest, type FinishedStep, type GenerationState,
  type GenerationStore, type Lease, type OutputAsset, type StepFailure, type StepStart, type StepWaiting,
  type StoredFile,
} from '#libs/engine/generation-store.js';
import type { NodeRegistry } from '#libs/nodes/registry.js';
import type { WakeQueue } from '#libs/queue/wake-queue.js';
import { signals } from '#libs/tracepoints/signals.js';
import { failAttempt, letAttemptWait } from './attempts.js';
import { Checkpoints } from './checkpoints.js';
import { BrokenClaim, claim, LEASE_SECONDS, UnreadableClaim } from './claims.js';
import { loadForeignOutputs } from './foreign-outputs.js';
import { HANDED_BACK } from './generation-state.js';
import type { ChangedGeneration, JobChange, JobTransactions } from './job-transaction.js';
import { storedLogs, storedWaiting } from './sealed-steps.js';
import {
  CHANGED_COLUMNS, changedGeneration, eventOf, failGeneration, type ChangedRow, type GenerationError,
} from './settlement.js';

/** A due time this near gets a wake-up of its own; later ones are found by the reconciler. */
const SOON_MS = 60_000;
/** Runs that end in an error of ours before the generation fails, and how long it rests after the first. */
const MAX_BREAKS = 3;
const BREAK_DELAY_SECONDS = 5;

/** The engine's memory on Postgres. Every write is fenced by the lease's number. */
export class PostgresGenerationStore implements GenerationStore {
  private readonly checkpoints: Checkpoints;

  constructor(
    private readonly database: Database,
    private readonly jobs: JobTransactions,
    private readonly registry: NodeRegistry,
    private readonly queue: WakeQueue,
    private readonly keys: CollectionKeys,
    timeoutMs: number,
  ) {
    this.checkpoints = new Checkpoints(database, jobs, registry, timeoutMs);
  }

  async claim(request: ClaimRequest): Promise<Claim | undefined> {
    try {
      const claimed = await claim(this.database, this.keys, request);
      if (claimed) await this.loadForeign(claimed);
      return claimed;
    } catch (error) {
      if (error instanceof BrokenClaim) await this.breakClaimOff(error);
      throw error;
    }
  }

  begin(lease: Lease, state: GenerationState, starts: StepStart[]): Promise<Attempt[]> {
    return this.checkpoints.begin(lease, state, starts);
  }

  keepFiles(lease: Lease, state: GenerationState, stepId: string, files: StoredFile[]): Promise<OutputAsset[]> {
    const { userId, collectionId } = state;
    return keepFiles(this.database, lease, { userId, collectionId, stepId, files });
  }

  checkpoint(
    lease: Lease,
    state: GenerationState,
    finished: FinishedStep[],
    starts: StepStart[],
  ): Promise<Attempt[]> {
    return this.checkpoints.checkpoint(lease, state, finished, starts);
  }

  finish(lease: Lease, state: GenerationState, finished: FinishedStep[], starts: StepStart[] = []): Promise<void> {
    return this.checkpoints.finish(lease, state, finished, starts);
  }

  waitStep(lease: Lease, attempt: Attempt, waiting: StepWaiting): Promise<void> {
    return this.fenced(lease, async (change) => {
      const seal = await this.sealOf(change);
      await letAttemptWait(change, attempt, storedWaiting(seal, lease.generationId, attempt.stepId, waiting));
    });
  }

  failStep(lease: Lease, attempt: Attempt, failure: StepFailure, retryInMs: number | null): Promise<void> {
    return this.fenced(lease, async (change, generation) => {
      const { logs, ...told } = failure;
      const seal = await this.sealOf(change);
      const error = storedError(seal, told);
      const kept = storedLogs(seal, lease.generationId, attempt.stepId, logs) as string[];
      const step = await failAttempt(change, attempt, { ...error, logs: kept }, retryInMs);
      change.emit('node_failed', {
        ...step.event,
        ...eventOf(generation),
        status: 'failed',
        attempt: attempt.number,
        ...(step.retryAt && { retry_at: step.retryAt.toISOString() }),
        error,
      });
      if (retryInMs === null) await failGeneration(change, generation, { ...error, step_id: attempt.stepId });
    });
  }

  park(lease: Lease, wakeSeq: number, wakeInMs: number | null): Promise<'parked' | number> {
    return this.fenced(lease, async (change, generation) => {
      const [row] = await change.tx.query<{ wake_seq: string; parked: boolean }>(PARK, [
        generation.id, wakeSeq, wakeInMs,
      ]);
      if (!row?.parked) return Number(row?.wake_seq);
      change.emit('generation_waiting', { ...eventOf(generation), status: 'waiting' });
      if (wakeInMs !== null && wakeInMs <= SOON_MS) this.wakeAfterCommit(change, lease, wakeSeq, wakeInMs);
      return 'parked';
    });
  }

  async handBack(lease: Lease): Promise<void> {
    await this.fenced(lease, async (change, generation) => {
      await change.tx.query(END_RUNNING, [generation.id, change.now]);
      const [row] = await change.tx.query<{ wake_seq: string }>(HAND_BACK, [generation.id]);
      change.emit('generation_waiting', { ...eventOf(generation), status: 'pending', message: 'Handed back' });
      this.wakeAfterCommit(change, lease, Number(row?.wake_seq), 0);
    });
  }

  async breakOff(lease: Lease, error = BROKEN): Promise<void> {
    await this.jobs.change(lease.jobId, async (change) => {
      const [row] = await change.tx.query<ChangedRow & { breaks: number }>(BREAK_OFF, [
        lease.generationId, lease.number, BREAK_DELAY_SECONDS,
      ]);
      if (!row) return;
      const generation = changedGeneration(row);
      if (row.breaks >= MAX_BREAKS) {
        return failGeneration(change, generation, error);
      }
      await change.tx.query(END_RUNNING, [generation.id, change.now]);
      change.emit('generation_waiting', { ...eventOf(generation), status: 'pending', message: 'Broken off' });
    });
  }

  private async loadForeign({ lease, state }: Claim): Promise<void> {
    const { userId, files, instructionSet } = state;
    // What another wrote must not reach what only the submitter may see.
    const asWhom = files ? null : userId;
    try {
      state.foreign = await loadForeignOutputs(this.database, instructionSet, this.registry, asWhom);
    } catch (error) {
      throw new BrokenClaim(lease, error);
    }
  }

  /** One that came to nothing so late that another holds the lease counts as well: else it would never end. */
  private async breakClaimOff(broken: BrokenClaim): Promise<void> {
    const { lease } = broken;
    await this.breakOff(lease, broken instanceof UnreadableClaim ? UNREADABLE : BROKEN);
    await this.database.query(COUNT_LATE_BREAK, [lease.generationId, lease.number]);
  }

  /** Null: the job is not encrypted. */
  private async sealOf({ job, tx }: JobChange): Promise<CollectionSeal | null> {
    return job.encrypted && job.collection_id ? this.keys.of(job.collection_id, tx) : null;
  }

  private wakeAfterCommit(change: JobChange, lease: Lease, wakeSeq: number, delayMs: number): void {
    const { lane, generationId } = lease;
    const dispatch = lease.number + wakeSeq;
    change.tx.afterCommit(() => this.queue.wake([{ lane, generationId, dispatch, delayMs: Math.ceil(delayMs) }]));
  }

  /** Runs `work` under the job's and the generation's lock, or throws `LeaseLost`. */
  private fenced<Result>(
    lease: Lease,
    work: (change: JobChange, generation: ChangedGeneration) => Promise<Result>,
  ): Promise<Result> {
    return this.jobs.change(lease.jobId, async (change) => {
      const [row] = await change.tx.query<ChangedRow>(FENCE, [lease.generationId, lease.number, LEASE_SECONDS]);
      if (!row) {
        signals.refused.send({ generationId: lease.generationId });
        throw new LeaseLost();
      }
      return work(change, changedGeneration(row));
    });
  }
}

const BROKEN: GenerationError = { code: 'INTERNAL_ERROR', message: 'The generation could not be run', step_id: null };
const UNREADABLE: GenerationError = {
  code: 'ENCRYPTION_KEY_UNAVAILABLE', message: 'The key of the encrypted collection could not be had', step_id: null,
};

const FENCE = `
  update generation set lease_until = clock_timestamp() + make_interval(secs => $3)
   where id = $1 and lease = $2 and status = 'processing' returning ${CHANGED_COLUMNS}`;

const PARK = `
  with parked as (
    update generation
       set status = 'waiting', lease_until = null, leased_by = null,
           wake_at = clock_timestamp() + make_interval(secs => $3::float8 / 1000)
     where id = $1 and wake_seq = $2 returning id
  )
  select wake_seq, exists (select from parked) as parked from generation where id = $1`;

/** No attempt of the node's own failed: it counts neither as a failure nor as a death. */
const END_RUNNING = `
  update step_run set status = 'cancelled', completed_at = $2, error = '{"code": "${HANDED_BACK}"}'
   where generation_id = $1 and status = 'running'`;

const BREAK_OFF = `
  update generation
     set status = 'pending', lease_until = null, leased_by = null, breaks = breaks + 1, wake_seq = wake_seq + 1,
         wake_at = clock_timestamp() + make_interval(secs => $3 * (breaks + 1))
   where id = $1 and lease = $2 and status in ('pending', 'processing', 'waiting')
  returning ${CHANGED_COLUMNS}, breaks`;

const COUNT_LATE_BREAK = `
  update generation set breaks = breaks + 1
   where id = $1 and lease > $2 and status in ('pending', 'waiting')`;

const HAND_BACK = `
  update generation
     set status = 'pending', lease_until = null, leased_by = null, wake_at = clock_timestamp(),
         wake_seq = wake_seq + 1
   where id = $1 returning wake_seq`;
