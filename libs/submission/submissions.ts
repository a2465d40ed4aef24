import type { Ledger } from '#libs/credits/ledger.js';
import type { Transaction } from '#libs/database/database.js';
import type { EventBus } from '#libs/events/event-bus.js';
import type { WakeQueue } from '#libs/queue/wake-queue.js';
import { signals } from '#libs/tracepoints/signals.js';
import { tracepoint } from '#libs/tracepoints/tracepoints.js';
import type { JobSubmission } from './job-submission.js';

/** A generation's first run; `resume` counts on. */
const FIRST_RUN = 1;

/** Where every face's work becomes rows: two statements, and a wake-up once they are committed. */
export class Submissions {
  constructor(
    private readonly ledger: Ledger,
    private readonly queue: WakeQueue,
    private readonly bus: EventBus,
  ) {}

  /**
   * Holds the price and writes job, generations, first event and usage. Throws `INSUFFICIENT_CREDITS` or
   * `TOO_MANY_INFLIGHT`. The hold comes first: from there on the account's lock puts a user's
   * submissions in line, so that no two take the same turns. All later rows are new, nobody else can
   * hold them, so the order of locks is kept.
   */
  async submit(tx: Transaction, job: JobSubmission): Promise<void> {
    tracepoint('submission.before-write', { jobId: job.id });
    await this.ledger.hold(tx, {
      userId: job.userId,
      jobId: job.id,
      generations: job.generations.map(({ id }) => ({ id, run: FIRST_RUN, price: job.price.perGeneration })),
      ...(job.price.base > 0n && { base: { run: FIRST_RUN, price: job.price.base } }),
      maxOpen: job.plan.maxOpenGenerations,
      breakdown: job.breakdown,
    });
    const [event] = await tx.query<{ at: Date }>(WRITE, parametersOf(job));
    tx.afterCommit(() => this.announce(job, (event as { at: Date }).at));
    tracepoint('submission.before-commit', { jobId: job.id });
  }

  private async announce(job: JobSubmission, at: Date): Promise<void> {
    tracepoint('submission.after-commit', { jobId: job.id });
    signals.submitted.send({ workflowId: job.workflow?.id ?? null, face: job.face, generations: job.generations.length });
    tracepoint('submission.before-dispatch', { jobId: job.id });
    await Promise.all([
      this.queue.wake(job.generations.map(({ id }) => ({ lane: job.lane, generationId: id, dispatch: 1 }))),
      this.bus.publish({
        kind: 'events',
        jobId: job.id,
        userId: job.userId,
        collectionId: job.collectionId,
        seq: 1,
        events: [{ seq: 1, type: 'job_queued', job_id: job.id, at: at.toISOString(), status: 'pending' }],
      }),
    ]);
    tracepoint('submission.after-dispatch', { jobId: job.id });
  }
}

const parametersOf = (job: JobSubmission): unknown[] => [
  job.id,
  job.userId,
  job.collectionId,
  job.workflow?.id ?? null,
  job.workflow?.version ?? null,
  job.name,
  job.description,
  job.type,
  Math.min(job.priority, job.plan.maxPriority),
  JSON.stringify(job.instructionSet),
  JSON.stringify(job.options),
  job.tags,
  job.externalId,
  job.price.base.toString(),
  job.generations.map(({ id }) => id),
  job.generations.map(({ hash }) => hash),
  job.price.perGeneration.toString(),
  job.lane,
  job.face,
];

/**
 * Turns make users alternate within a lane and priority. A user who has nothing pending starts where the
 * lane stands: at the turn of its next claim, or behind its last one when none is pending. Who has goes
 * on after their own last turn. Only this priority's queue tells where it stands: an urgent generation
 * that overtook a long queue has a far later turn than those who still wait there.
 */
const WRITE = `
  with lane as (
    select coalesce(
      (select turn - 1 from generation
        where lane = $18::text and priority = $9::integer and status = 'pending' order by turn limit 1),
      (select max(turn) from generation where lane = $18::text and started_at is not null),
      0) as turn
  ), last as (
    select greatest(lane.turn, (
      select own.turn from generation own
       where own.user_id = $2::uuid and own.lane = $18::text and own.status = 'pending'
         and own.turn > lane.turn
       order by own.turn desc limit 1)) as turn
      from lane
  ), job_row as (
    insert into job (
      id, user_id, collection_id, workflow_id, workflow_version, name, description, job_type, priority,
      instruction_set, options, tags, external_id, seq, generations, base_price)
    values ($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::integer, $6, $7, $8, $9::integer, $10::jsonb,
            $11::jsonb, $12::text[], $13, 1, cardinality($15::uuid[]), $14::bigint)
  ), generation_row as (
    insert into generation (id, job_id, user_id, index, hash, lane, priority, turn, price, wake_at)
    select g.id, $1::uuid, $2::uuid, g.position - 1, g.hash, $18::text, $9::integer, last.turn + g.position,
           $17::bigint, now()
      from unnest($15::uuid[], $16::text[]) with ordinality as g (id, hash, position) cross join last
  ), usage as (
    insert into usage_entry (user_id, face, job_id, key, generations)
    values ($2::uuid, $19::text, $1::uuid, 'job:' || $1::text || ':submit', cardinality($15::uuid[]))
  )
  insert into job_history (job_id, seq, user_id, type, data)
  values ($1::uuid, 1, $2::uuid, 'job_queued', '{"status": "pending"}')
  returning at`;
