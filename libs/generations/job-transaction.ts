import { generationKey, baseKey, type Ledger, type Movement } from '#libs/credits/ledger.js';
import { giveBackUsage } from '#libs/credits/usage.js';
import type { Database, Transaction } from '#libs/database/database.js';
import { jobNotFound } from '#libs/errors/errors.js';
import type { EventBus } from '#libs/events/event-bus.js';
import type { EventObserver } from '#libs/events/event-lines.js';
import type { EventDetail, EventError, JobEvent, RecordedEventType } from '#libs/events/job-event.js';
import { signals } from '#libs/tracepoints/signals.js';

/** A job's row as a change of state needs it. */
export interface LockedJob {
  id: string;
  user_id: string;
  collection_id: string | null;
  workflow_id: string | null;
  status: string;
  seq: number;
  steps: number;
  steps_done: number;
  generations: number;
  completed: number;
  failed: number;
  cancelled: number;
  base_price: bigint;
  base_run: number;
  base_status: 'held' | 'captured' | 'released';
  face: 'collections' | 'two_step' | 'v1';
  in_flight: boolean;
  /** What its rows tell of its set is sealed. */
  encrypted: boolean;
  started: boolean;
}

/** The part of a job that those who hear of its events need. `seq` is the newest event's number. */
export type AnnouncedJob = Pick<LockedJob, 'id' | 'user_id' | 'collection_id' | 'workflow_id' | 'seq' | 'encrypted'>;

/** The part of a generation that money and events need. */
export interface ChangedGeneration {
  id: string;
  index: number;
  hash: string;
  run: number;
  price: bigint;
}

export interface ChangeOptions {
  userId?: string | null;
  withCollection?: boolean;
}

/**
 * Every change of state of a job, its generations and steps goes through `change`, but for the engine's
 * checkpoints, which are one statement each.
 */
export class JobTransactions {
  constructor(
    private readonly database: Database,
    private readonly ledger: Ledger,
    private readonly bus: EventBus,
    private readonly observe: EventObserver = () => undefined,
  ) {}

  /**
   * Locks the job's row, lets `work` change generations and steps, then writes the events (with the next
   * sequence numbers), the job and the ledger. One transaction; the lock order is collection (when asked
   * for), job, generation, account. After commit the events are published. Throws `JOB_NOT_FOUND`;
   * `userId` narrows to an owner.
   */
  change<Result>(
    jobId: string,
    work: (change: JobChange) => Promise<Result>,
    options: ChangeOptions = {},
  ): Promise<Result> {
    return this.database.transaction((tx) => this.changeIn(tx, jobId, work, options));
  }

  /** `change` within a transaction that has locked nothing which comes after a collection. */
  async changeIn<Result>(
    tx: Transaction,
    jobId: string,
    work: (change: JobChange) => Promise<Result>,
    { userId = null, withCollection = false }: ChangeOptions = {},
  ): Promise<Result> {
    if (withCollection) await tx.query(LOCK_COLLECTION, [jobId]);
    const [row] = await tx.query<LockedRow>(LOCK, [jobId, userId]);
    if (!row) throw jobNotFound();
    const change = new JobChange(tx, lockedJob(row), row.now);
    const result = await work(change);
    const events = await change.write(this.ledger);
    if (events.length > 0) tx.afterCommit(() => this.announce(change.job, events));
    return result;
  }

  /** Tells of committed events, whoever wrote them. */
  announce(job: AnnouncedJob, events: JobEvent[]): Promise<void> {
    this.observe(events, job.user_id);
    signals.committed.send({ job: { id: job.id, workflowId: job.workflow_id }, events });
    return this.bus.publish({
      kind: 'events',
      jobId: job.id,
      userId: job.user_id,
      collectionId: job.collection_id,
      seq: job.seq,
      // What carries messages is not ours to trust: of an encrypted job the rows tell.
      ...(!job.encrypted && { events }),
    });
  }
}

/** One open change of one job: collects events, counts and movements, and writes them together at the end. */
export class JobChange {
  private readonly events: JobEvent[] = [];
  private readonly movements: Movement[] = [];
  private closed = 0;
  private error: EventError | null = null;

  constructor(
    readonly tx: Transaction,
    readonly job: LockedJob,
    /** The database's clock when the job was locked; the time of all events of this change. */
    readonly now: Date,
  ) {}

  emit(type: RecordedEventType, detail: EventDetail = {}): void {
    this.job.seq += 1;
    this.events.push({
      seq: this.job.seq,
      type,
      job_id: this.job.id,
      at: this.now.toISOString(),
      ...detail,
    });
  }

  /** The generation ended without a result: its price is given back. */
  released(generation: ChangedGeneration, as: 'failed' | 'cancelled'): void {
    this.release(generation);
    this.job[as] += 1;
  }

  /** Ends the job when its last generation has ended. `cancelled` marks a cancel of the whole job, `error` its cause. */
  finish({ cancelled = false, error = null }: { cancelled?: boolean; error?: EventError | null } = {}): void {
    const { job } = this;
    if (job.completed + job.failed + job.cancelled < job.generations) return;
    if (job.base_status === 'held') this.releaseBase();
    job.status = cancelled ? 'cancelled' : endStatus(job);
    this.error = error;
    if (job.status === 'failed') {
      this.error = { code: 'GENERATION_FAILED', message: `${job.failed} of ${job.generations} generations failed` };
    }
    this.emit(`job_${job.status}` as RecordedEventType, {
      status: job.status,
      progress: progressOf(job),
      ...(this.error && { error: this.error }),
    });
  }

  /** Writes everything that was collected. The account's row is locked last. */
  async write(ledger: Ledger): Promise<JobEvent[]> {
    const { job, events } = this;
    if (events.length === 0 && this.movements.length === 0) return events;
    await this.tx.query(WRITE, [
      job.id, job.user_id, job.seq, job.status, job.steps_done, progressOf(job), job.completed, job.failed,
      job.cancelled, job.base_run, job.base_status, this.error && JSON.stringify(this.error), this.now,
      events.map(({ seq }) => seq),
      events.map(({ type }) => type),
      events.map(({ seq: _seq, type: _type, job_id: _job, at: _at, ...detail }) => JSON.stringify(detail)),
      job.started,
    ]);
    if (this.movements.length === 0) return events;
    const left = job.in_flight ? { flies: -this.closed } : { opens: -this.closed };
    const booked = await ledger.append(this.tx, job.user_id, this.movements, left);
    // A change of state without its money is worse than none.
    if (!booked) throw new Error(`The account of job ${job.id} does not cover what was held for it`);
    if (this.closed > 0 && job.face !== 'collections') await giveBackUsage(this.tx, job.id);
    return events;
  }

  private release(generation: ChangedGeneration): void {
    this.closed += 1;
    this.movements.push({
      type: 'release',
      amount: generation.price,
      key: `${generationKey(generation)}:release`,
      jobId: this.job.id,
      generationId: generation.id,
    });
  }

  private releaseBase(): void {
    const { job } = this;
    job.base_status = 'released';
    if (job.base_price === 0n) return;
    this.movements.push({
      type: 'release',
      amount: job.base_price,
      key: `${baseKey(job.id, job.base_run)}:release`,
      jobId: job.id,
    });
  }
}

function endStatus({ failed, cancelled }: LockedJob): 'failed' | 'cancelled' | 'completed' {
  if (failed > 0) return 'failed';
  return cancelled > 0 ? 'cancelled' : 'completed';
}

/** Percent of all steps of all generations. Finished steps stay finished, so it never falls. */
const progressOf = (job: LockedJob): number =>
  job.status === 'completed' ? 100 : Math.min(99, Math.floor((100 * job.steps_done) / (job.steps * job.generations)));

type LockedRow = Omit<LockedJob, 'seq' | 'base_price' | 'started'> & {
  seq: string;
  base_price: string;
  started_at: Date | null;
  now: Date;
};

function lockedJob({ now: _now, started_at, ...row }: LockedRow): LockedJob {
  return {
    ...row,
    seq: Number(row.seq),
    base_price: BigInt(row.base_price),
    started: started_at !== null,
  };
}

const LOCK_COLLECTION = `
  select from collection where id = (select collection_id from job where id = $1) for update`;

const LOCK = `
  select id, user_id, collection_id, workflow_id, status, seq, steps, steps_done, generations,
         completed, failed, cancelled, base_price, base_run, base_status, face, in_flight, encrypted, started_at, clock_timestamp() as now
    from job where id = $1 and ($2::uuid is null or user_id = $2) for no key update`;

/**
 * Of two changes that wait for the job's row, the one that comes second can have the smaller transaction
 * id. Its events take over the id of the event before, so that those of a job never go back in the order
 * of all of a user's events.
 */
const WRITE = `
  with event as (
    insert into job_history (job_id, user_id, seq, type, data, at, txid)
    select $1, $2, e.seq, e.type, e.data, $13, greatest(pg_current_xact_id(), job.last_txid)
      from job cross join unnest($14::bigint[], $15::text[], $16::jsonb[]) as e (seq, type, data)
     where job.id = $1
  )
  update job
     set seq = $3, status = $4, steps_done = $5, progress = greatest(progress, $6), completed = $7, failed = $8,
         cancelled = $9, base_run = $10, base_status = $11, error = $12::jsonb,
         last_txid = greatest(last_txid, pg_current_xact_id()),
         started_at = case when $17::boolean then coalesce(started_at, $13) end,
         completed_at = case when $4 in ('completed', 'failed', 'cancelled') then $13::timestamptz end
   where id = $1`;
