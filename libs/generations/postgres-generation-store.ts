import { insertAssets } from '#libs/assets/asset-rows.js';
import {
  LeaseLost, type Attempt, type GenerationState, type GenerationStore, type Lease, type StepFailure, type StepOutput,
  type StepResult, type StepStart, type StepWaiting,
} from '#libs/engine/generation-store.js';
import type { EventDetail } from '#libs/events/job-event.js';
import type { InstructionSet } from '#libs/instruction-set/instruction-set.js';
import { resolveVariables } from '#libs/instruction-set/variables.js';
import type { NodeRegistry } from '#libs/nodes/registry.js';
import type { WakeQueue } from '#libs/queue/wake-queue.js';
import { signals } from '#libs/tracepoints/signals.js';
import { beginAttempts, closeAttempt, letAttemptWait } from './attempts.js';
import { LEASE_SECONDS } from './claims.js';
import { loadForeignOutputs } from './foreign-outputs.js';
import { loadStepRuns } from './generation-state.js';
import type { ChangedGeneration, JobChange, JobTransactions } from './job-transaction.js';
import {
  CHANGED_COLUMNS, changedGeneration, completeGeneration, eventOf, failGeneration, type ChangedRow,
} from './settlement.js';

/** Outputs above this size stay out of events. */
const EVENT_OUTPUT_BYTES = 16 * 1024;
/** A due time this near gets a wake-up of its own; later ones are found by the reconciler. */
const SOON_MS = 60_000;
/** Runs that end in an error of ours before the generation fails, and how long it rests after the first. */
const MAX_BREAKS = 3;
const BREAK_DELAY_SECONDS = 5;

/** The engine's memory on Postgres. Every write is fenced by the lease's number. */
export class PostgresGenerationStore implements GenerationStore {
  constructor(
    private readonly jobs: JobTransactions,
    private readonly registry: NodeRegistry,
    private readonly queue: WakeQueue,
    private readonly timeoutMs: number,
  ) {}

  begin(lease: Lease): Promise<GenerationState | null> {
    return this.jobs.change(lease.jobId, async (change) => {
      const [row] = await change.tx.query<ClaimedRow>(CLAIMED, [lease.generationId, lease.number]);
      if (!row) return null;
      const set = row.instruction_set;
      const { values, traits } = resolveVariables(set.variables, row.hash);
      const [started] = await change.tx.query<{ time_left: number; wake_seq: string }>(BEGIN, [
        row.id, LEASE_SECONDS, this.timeoutMs, JSON.stringify(values), JSON.stringify(traits),
      ]);
      change.start();
      change.emit(row.started_at ? 'generation_resumed' : 'generation_started', {
        ...eventOf(changedGeneration(row)),
        status: 'processing',
      });
      return {
        jobId: lease.jobId,
        generationId: row.id,
        userId: change.job.user_id,
        collectionId: change.job.collection_id,
        index: row.index,
        hash: row.hash,
        run: row.run,
        instructionSet: set,
        values,
        wakeSeq: Number(started?.wake_seq),
        timeLeftMs: started?.time_left ?? 0,
        foreign: await loadForeignOutputs(change.tx, set.steps, this.registry, change.job.user_id),
        ...(await loadStepRuns(change.tx, row.id, row.run)),
      };
    });
  }

  startSteps(lease: Lease, starts: StepStart[]): Promise<Attempt[]> {
    return this.fenced(lease, (change, generation) => beginAttempts(change, generation, starts, lease.alone));
  }

  completeStep(lease: Lease, attempt: Attempt, result: StepResult): Promise<StepOutput> {
    return this.fenced(lease, async (change, generation) => {
      const assets = await insertAssets(change.tx, {
        userId: change.job.user_id,
        collectionId: change.job.collection_id,
        jobId: lease.jobId,
        generationId: generation.id,
        stepId: attempt.stepId,
        files: result.files,
      });
      const { value, traits, fetched } = result;
      const output: StepOutput = { assets, value, traits, ...(fetched && { fetched }) };
      const step = await closeAttempt(change, attempt, 'completed', { output, logs: result.logs });
      change.job.steps_done += 1;
      change.emit('node_completed', {
        ...step.event, ...eventOf(generation), status: 'completed', progress: 100, ...eventOutput(output),
      });
      const [progress] = await change.tx.query<{ done: number }>(PROGRESS, [generation.id, change.job.steps]);
      if (progress?.done === change.job.steps) await completeGeneration(change, generation, this.registry);
      return output;
    });
  }

  waitStep(lease: Lease, attempt: Attempt, waiting: StepWaiting): Promise<void> {
    return this.fenced(lease, (change) => letAttemptWait(change, attempt, waiting));
  }

  failStep(lease: Lease, attempt: Attempt, failure: StepFailure, retryInMs: number | null): Promise<void> {
    return this.fenced(lease, async (change, generation) => {
      const { logs, ...error } = failure;
      const step = await closeAttempt(change, attempt, 'failed', { error, logs, retryInMs });
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

  async breakOff(lease: Lease): Promise<void> {
    await this.jobs.change(lease.jobId, async (change) => {
      const [row] = await change.tx.query<ChangedRow & { breaks: number }>(BREAK_OFF, [
        lease.generationId, lease.number, BREAK_DELAY_SECONDS,
      ]);
      if (!row) return;
      const generation = changedGeneration(row);
      if (row.breaks >= MAX_BREAKS) {
        const error = { code: 'INTERNAL_ERROR', message: 'The generation could not be run', step_id: null };
        return failGeneration(change, generation, error);
      }
      await change.tx.query(END_RUNNING, [generation.id, change.now]);
      change.emit('generation_waiting', { ...eventOf(generation), status: 'pending', message: 'Broken off' });
    });
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

interface ClaimedRow extends ChangedRow {
  started_at: Date | null;
  instruction_set: InstructionSet;
}

/** What an event says of a step's output. Files are named once they are shown (`image_generated`). */
function eventOutput(output: StepOutput): EventDetail {
  if (output.value === null) return {};
  const text = JSON.stringify(output.value);
  return Buffer.byteLength(text) > EVENT_OUTPUT_BYTES ? {} : { output: output.value };
}

const CLAIMED = `
  select g.id, g.index, g.hash, g.run, g.price, g.status, g.started_at, j.instruction_set
    from generation g join job j on j.id = g.job_id
   where g.id = $1 and g.lease = $2 and g.status in ('pending', 'waiting') for update of g`;

const BEGIN = `
  update generation
     set status = 'processing', lease_until = clock_timestamp() + make_interval(secs => $2),
         started_at = coalesce(started_at, clock_timestamp()), values = $4, traits = $5,
         deadline_at = coalesce(deadline_at, clock_timestamp() + make_interval(secs => $3::float8 / 1000))
   where id = $1
  returning wake_seq, (extract(epoch from deadline_at - clock_timestamp()) * 1000)::float8 as time_left`;

const FENCE = `
  update generation set lease_until = clock_timestamp() + make_interval(secs => $3)
   where id = $1 and lease = $2 and status = 'processing' returning ${CHANGED_COLUMNS}`;

const PROGRESS = `
  update generation g set progress = floor(100.0 * s.done / $2)
    from (select count(*)::int as done from step_run where generation_id = $1 and status = 'completed') s
   where g.id = $1 returning s.done`;

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
  update step_run set status = 'cancelled', completed_at = $2, error = '{"code": "HANDED_BACK"}'
   where generation_id = $1 and status = 'running'`;

const BREAK_OFF = `
  update generation
     set status = 'pending', lease_until = null, leased_by = null, breaks = breaks + 1, wake_seq = wake_seq + 1,
         wake_at = clock_timestamp() + make_interval(secs => $3 * (breaks + 1))
   where id = $1 and lease = $2 and status in ('pending', 'processing', 'waiting')
  returning ${CHANGED_COLUMNS}, breaks`;

const HAND_BACK = `
  update generation
     set status = 'pending', lease_until = null, leased_by = null, wake_at = clock_timestamp(),
         wake_seq = wake_seq + 1
   where id = $1 returning wake_seq`;
