import type { NewCollection } from '#libs/collections/new-collection.js';
import { holdMovements, type Hold, type Ledger } from '#libs/credits/ledger.js';
import type { Database, Transaction } from '#libs/database/database.js';
import type { EventBus } from '#libs/events/event-bus.js';
import type { WakeQueue } from '#libs/queue/wake-queue.js';
import { signals } from '#libs/tracepoints/signals.js';
import { tracepoint } from '#libs/tracepoints/tracepoints.js';
import { inSpan, type SpanPlan } from '#libs/tracing/spans.js';
import { isInFlight, isMetered, type JobSubmission } from './job-submission.js';
import type { KeptAnswer } from './kept-answer.js';
import {
  collectionParameter, keptAnswerParameter, SUBMIT, SUBMIT_COLLECTION, SUBMIT_COLLECTION_ONCE, submissionParameters,
} from './submission-statement.js';

/** A generation's first run; `resume` counts on. */
const FIRST_RUN = 1;

type Written = { at: Date };

/** Where every face's work becomes rows: one statement, and a wake-up once it is committed. */
export class Submissions {
  constructor(
    private readonly database: Database,
    private readonly ledger: Ledger,
    private readonly queue: WakeQueue,
    private readonly bus: EventBus,
  ) {}

  /**
   * Holds the price and writes job, generations, first event and usage, in a transaction that has the
   * collection locked. Throws `INSUFFICIENT_CREDITS`, `TOO_MANY_INFLIGHT`
   * or `LIMIT_EXCEEDED`.
   */
  submit(tx: Transaction, job: JobSubmission): Promise<void> {
    return inSpan(() => submissionSpan(job), () => this.write(tx, job));
  }

  /** Throws as `submit` would right now, before work is done for it. */
  async assertPossible(job: JobSubmission): Promise<void> {
    const obstacle = await this.ledger.obstacle(this.database, holdOf(job));
    if (obstacle) throw obstacle;
  }

  /**
   * As `submit`, together with the collection whose set it makes and, if there is one, the answer to keep;
   * commits at once. Throws, too, when an answer is kept under that key already.
   */
  submitCollection(job: JobSubmission, collection: NewCollection, answer: KeptAnswer | null): Promise<void> {
    return inSpan(() => submissionSpan(job), () => this.writeAll(job, collection, answer));
  }

  private async write(tx: Transaction, job: JobSubmission): Promise<void> {
    const hold = holdOf(job);
    tracepoint('submission.before-write', { jobId: job.id });
    const [written] = await tx.query<Written>(SUBMIT, submissionParameters(job, hold));
    if (!written) throw await this.ledger.refusal(tx, hold);
    tx.afterCommit(() => this.announce(job, hold, written.at));
    tracepoint('submission.before-commit', { jobId: job.id });
  }

  private async writeAll(
    job: JobSubmission,
    collection: NewCollection,
    answer: KeptAnswer | null,
  ): Promise<void> {
    const hold = holdOf(job);
    const parameters = [...submissionParameters(job, hold), collectionParameter(collection)];
    tracepoint('submission.before-write', { jobId: job.id });
    const [written] = answer
      ? await this.database.change<Written>(SUBMIT_COLLECTION_ONCE, [...parameters, keptAnswerParameter(answer)])
      : await this.database.change<Written>(SUBMIT_COLLECTION, parameters);
    if (!written) throw await this.ledger.refusal(this.database, hold);
    await this.announce(job, hold, written.at);
  }

  private async announce(job: JobSubmission, hold: Hold, at: Date): Promise<void> {
    tracepoint('submission.after-commit', { jobId: job.id });
    signals.submitted.send({ workflowId: job.workflow?.id ?? null, face: job.face, generations: job.generations.length });
    signals.moved.send(holdMovements(hold));
    tracepoint('submission.before-dispatch', { jobId: job.id });
    await Promise.all([
      job.starts && this.queue.wake(job.generations.map(({ id }) => ({ lane: job.lane, generationId: id, dispatch: 1 }))),
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

const submissionSpan = ({ id, face, lane, generations, workflow }: JobSubmission): SpanPlan => ({
  name: 'submission',
  attributes: {
    'platen.job.id': id, 'platen.face': face, 'platen.lane': lane, 'platen.generations': generations.length,
    ...(workflow && { 'platen.workflow.id': workflow.id }),
  },
});

const holdOf = (job: JobSubmission): Hold => ({
  userId: job.userId,
  jobId: job.id,
  generations: job.generations.map(({ id }) => ({ id, run: FIRST_RUN, price: job.price.perGeneration })),
  ...(job.price.base > 0n && { base: { run: FIRST_RUN, price: job.price.base } }),
  inFlight: isInFlight(job),
  maxOpen: isInFlight(job) ? job.plan.maxInFlight : job.plan.maxOpenGenerations,
  ...(isMetered(job) && { quota: { plan: job.plan.name, limit: job.plan.monthlyGenerations } }),
  breakdown: job.breakdown,
});
