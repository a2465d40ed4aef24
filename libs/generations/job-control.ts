import { reserveEditions } from '#libs/collections/editions.js';
import type { Ledger } from '#libs/credits/ledger.js';
import type { Plans } from '#libs/credits/plans.js';
import { toCredits } from '#libs/credits/micro-credits.js';
import { generationNotFound, invalidGenerationStatus, invalidJobStatus } from '#libs/errors/errors.js';
import type { EventBus } from '#libs/events/event-bus.js';
import type { EventError } from '#libs/events/job-event.js';
import type { Lane } from '#libs/nodes/node.js';
import type { WakeQueue } from '#libs/queue/wake-queue.js';
import { tracepoint } from '#libs/tracepoints/tracepoints.js';
import { hasEnded } from './job-status.js';
import type { ChangedGeneration, JobChange, JobTransactions } from './job-transaction.js';
import { CHANGED_COLUMNS, changedGeneration, endOpenSteps, eventOf, type ChangedRow } from './settlement.js';
import { standOf } from './turns.js';

interface ResumedRow extends ChangedRow {
  lane: Lane;
  dispatch: string;
  /** How it had ended. */
  ended: 'failed' | 'cancelled';
}

/** What an operator adds to a change. */
export interface Aside {
  /** Told to the owner, with the end of what was cancelled. */
  error?: EventError;
  /** Written in the same transaction. */
  write?: (change: JobChange) => Promise<void>;
}

/**
 * What an owner, or an operator, may do to a job after submission. Each call is one transaction with one winner.
 * `userId` is the owner, who finds their own jobs alone; null is an operator, who finds all.
 */
export class JobControl {
  constructor(
    private readonly jobs: JobTransactions,
    private readonly ledger: Ledger,
    private readonly plans: Plans,
    private readonly queue: WakeQueue,
    private readonly bus: EventBus,
  ) {}

  /** Ends every open generation and gives its price back. Throws `JOB_NOT_FOUND`, `INVALID_JOB_STATUS`. */
  cancelJob(userId: string | null, jobId: string, { error, write }: Aside = {}): Promise<void> {
    return this.jobs.change(
      jobId,
      async (change) => {
        if (hasEnded(change.job.status)) throw invalidJobStatus(`The job is already ${change.job.status}`);
        await this.cancelOpen(change, error);
        await write?.(change);
      },
      { userId },
    );
  }

  /** Ends every open generation of a job that is being changed, and the job. `error`: why, if it was not its user. */
  async cancelOpen(change: JobChange, error: EventError | null = null): Promise<void> {
    await this.cancel(change, null);
    change.finish({ cancelled: true, error });
  }

  /** Throws `JOB_NOT_FOUND`, `GENERATION_NOT_FOUND`, `INVALID_GENERATION_STATUS`. */
  cancelGeneration(userId: string | null, jobId: string, index: number, { error, write }: Aside = {}): Promise<void> {
    return this.jobs.change(
      jobId,
      async (change) => {
        const cancelled = await this.cancel(change, index, error);
        if (cancelled === 0) throw await statusFault(change, index, 'ended');
        change.finish();
        await write?.(change);
      },
      { userId },
    );
  }

  /**
   * Runs what failed or was cancelled again, from the step that failed; its full price is held under the
   * next run number. Throws `JOB_NOT_FOUND`, `INVALID_JOB_STATUS`, `EDITIONS_EXHAUSTED`,
   * `INSUFFICIENT_CREDITS`.
   */
  resumeJob(userId: string | null, jobId: string, { write }: Aside = {}): Promise<void> {
    return this.jobs.change(
      jobId,
      async (change) => {
        const { status } = change.job;
        if (status !== 'failed' && status !== 'cancelled') throw invalidJobStatus(`The job is ${status}`);
        if (change.job.face !== 'collections') throw invalidJobStatus('A single image is submitted anew instead');
        if (isLost(change)) throw invalidJobStatus(LOST);
        await this.resume(change, null);
        await write?.(change);
      },
      { userId, withCollection: true },
    );
  }

  /** Throws `JOB_NOT_FOUND`, `GENERATION_NOT_FOUND`, `INVALID_GENERATION_STATUS`, `INSUFFICIENT_CREDITS`. */
  resumeGeneration(userId: string | null, jobId: string, index: number, { write }: Aside = {}): Promise<void> {
    return this.jobs.change(
      jobId,
      async (change) => {
        if (isLost(change)) throw invalidGenerationStatus(LOST);
        const isSingle = change.job.face !== 'collections';
        const resumed = isSingle ? 0 : await this.resume(change, index);
        if (resumed === 0) throw await statusFault(change, index, 'not failed or cancelled');
        await write?.(change);
      },
      { userId, withCollection: true },
    );
  }

  private async cancel(change: JobChange, index: number | null, error?: EventError): Promise<number> {
    const reason = error && JSON.stringify({ ...error, step_id: null });
    const rows = await change.tx.query<ChangedRow>(CANCEL, [change.job.id, index, change.now, reason]);
    const generations = rows.map(changedGeneration).sort((a, b) => a.index - b.index);
    const ids = generations.map(({ id }) => id);
    await endOpenSteps(change, ids);
    for (const generation of generations) {
      change.released(generation, 'cancelled');
      change.emit('generation_cancelled', { ...eventOf(generation), status: 'cancelled', ...(error && { error }) });
    }
    if (ids.length > 0) {
      tracepoint('cancel.before-commit', { jobId: change.job.id });
      change.tx.afterCommit(() => {
        tracepoint('cancel.after-commit', { jobId: change.job.id });
        return this.bus.publish({ kind: 'cancel', generationIds: ids });
      });
    }
    return generations.length;
  }

  private async resume(change: JobChange, index: number | null): Promise<number> {
    const { tx, job } = change;
    const rows = await tx.query<ResumedRow>(RESUME, [job.id, index]);
    if (rows.length === 0) return 0;
    const generations = rows.map(changedGeneration);
    if (job.collection_id) {
      const collection = { id: job.collection_id, userId: job.user_id };
      await reserveEditions(tx, collection, generations.map(({ hash }) => hash));
    }
    job.failed -= rows.filter(({ ended }) => ended === 'failed').length;
    job.cancelled -= rows.filter(({ ended }) => ended === 'cancelled').length;
    const reopens = hasEnded(job.status);
    job.status = job.started ? 'processing' : 'pending';
    if (reopens) {
      change.emit('job_resumed', { status: job.status });
      await tx.query('update webhook set watched = true where job_id = $1', [job.id]);
    }
    for (const generation of generations) {
      change.emit('generation_resumed', { ...eventOf(generation), status: 'pending' });
    }
    await this.holdAgain(change, generations);
    tx.afterCommit(() =>
      this.queue.wake(
        rows.map((row) => ({ lane: row.lane, generationId: row.id, dispatch: Number(row.dispatch) })),
      ),
    );
    return generations.length;
  }

  private async holdAgain(change: JobChange, generations: ChangedGeneration[]): Promise<void> {
    const { tx, job } = change;
    const needsBase = job.base_status === 'released';
    if (needsBase) {
      job.base_run += 1;
      job.base_status = 'held';
    }
    const [account] = await tx.query<{ plan: string; price_id: string | null }>(
      'select plan, price_id from account where user_id = $1',
      [job.user_id],
    );
    const base = needsBase && job.base_price > 0n ? { run: job.base_run, price: job.base_price } : undefined;
    const total = generations.reduce((sum, { price }) => sum + price, base?.price ?? 0n);
    await this.ledger.hold(tx, {
      userId: job.user_id,
      jobId: job.id,
      generations,
      ...(base && { base }),
      maxOpen: this.plans.of(account ?? { plan: 'free', price_id: null }).maxOpenGenerations,
      breakdown: {
        total_credits: toCredits(total),
        per_generation: toCredits(generations[0]?.price ?? 0n),
        workflow_base_cost: toCredits(base?.price ?? 0n),
      },
    });
  }
}

const LOST = 'Its encrypted collection was deleted, and with the key all that it would do';

/** Nobody can read any more what is to be done. */
const isLost = ({ job }: JobChange): boolean => job.encrypted && job.collection_id === null;

async function statusFault(change: JobChange, index: number, problem: string): Promise<Error> {
  const [row] = await change.tx.query<{ status: string }>(
    'select status from generation where job_id = $1 and index = $2',
    [change.job.id, index],
  );
  return row ? invalidGenerationStatus(`The generation is ${problem}: ${row.status}`) : generationNotFound();
}

const CANCEL = `
  update generation
     set status = 'cancelled', completed_at = $3, lease = lease + 1, lease_until = null, leased_by = null,
         wake_at = null, error = $4::jsonb
   where job_id = $1 and ($2::integer is null or index = $2) and status in ('pending', 'processing', 'waiting')
  returning ${CHANGED_COLUMNS}`;

/** At the job's priority of now, in the turn that a submission would get now: what is open beside it counts. */
const RESUME = `
  with locked as (
    select g.id, g.index, g.status, g.user_id, g.lane, j.priority
      from generation g join job j on j.id = g.job_id
     where g.job_id = $1 and ($2::integer is null or g.index = $2) and g.status in ('failed', 'cancelled')
     order by g.index for update of g
  ), ended as (
    select *, row_number() over (order by index) as place from locked
  ), lanes as (
    select user_id, lane, priority, count(*) as count from ended group by user_id, lane, priority
  ), stand as (
    select *, ${standOf({ lane: 'lanes.lane', priority: 'lanes.priority' })} as turn from lanes
  ), turns as (
    update account a
       set last_turns = a.last_turns || jsonb_build_object(stand.lane, stand.count + greatest(stand.turn,
             case when a.open_generations + a.in_flight > 0 then (a.last_turns ->> stand.lane)::bigint end))
      from stand where a.user_id = stand.user_id
    returning (a.last_turns ->> stand.lane)::bigint - stand.count as last
  ), resumed as (
    update generation g
       set status = 'pending', run = g.run + 1, wake_seq = g.wake_seq + 1, wake_at = clock_timestamp(),
           priority = e.priority, turn = turns.last + e.place, alone = false, breaks = 0, error = null,
           deadline_at = null, completed_at = null
      from ended e cross join turns
     where g.id = e.id
    returning g.id, g.index, g.hash, g.run, g.price, g.lane, g.lease + g.wake_seq as dispatch
  )
  select r.*, e.status as ended from resumed r join ended e using (id) order by r.index`;
