import { invalidJobStatus } from '#libs/errors/errors.js';
import type { Aside, JobControl } from '#libs/generations/job-control.js';
import { hasEnded } from '#libs/generations/job-status.js';
import type { JobTransactions } from '#libs/generations/job-transaction.js';
import { standOf } from '#libs/generations/turns.js';
import type { OperatorAction, OperatorLog } from './operator-log.js';

/** A job, or one generation of it. */
export interface JobTarget {
  jobId: string;
  index?: number;
}

/** What operators do to anybody's jobs: as its owner would, but told of as theirs. */
export class JobVerbs {
  constructor(
    private readonly jobs: JobTransactions,
    private readonly control: JobControl,
    private readonly log: OperatorLog,
  ) {}

  /**
   * Its owner gets back what was not made, and hears the reason. Throws `JOB_NOT_FOUND`, `GENERATION_NOT_FOUND`,
   * `INVALID_JOB_STATUS`, `INVALID_GENERATION_STATUS`.
   */
  cancel(by: string, { jobId, index }: JobTarget, reason: string): Promise<void> {
    const aside = {
      ...this.aside({ by, verb: 'cancel', target: targetOf({ jobId, index }), details: { reason } }),
      error: { code: 'CANCELLED_BY_OPERATOR', message: reason },
    };
    return index === undefined
      ? this.control.cancelJob(null, jobId, aside)
      : this.control.cancelGeneration(null, jobId, index, aside);
  }

  /**
   * Runs what failed or was cancelled again, at its owner's cost: see `JobControl`. Throws what `cancel` throws, and
   * `INSUFFICIENT_CREDITS`, `EDITIONS_EXHAUSTED`.
   */
  retry(by: string, { jobId, index }: JobTarget): Promise<void> {
    const aside = this.aside({ by, verb: 'retry', target: targetOf({ jobId, index }) });
    return index === undefined
      ? this.control.resumeJob(null, jobId, aside)
      : this.control.resumeGeneration(null, jobId, index, aside);
  }

  /**
   * Moves what of a job waits for a worker behind the others of its new priority, as if it were submitted now. Whatever
   * the owner's plan allows: 100 goes before all else. Throws `JOB_NOT_FOUND`, `INVALID_JOB_STATUS`.
   */
  prioritise(by: string, jobId: string, priority: number): Promise<void> {
    return this.jobs.change(jobId, async (change) => {
      if (hasEnded(change.job.status)) throw invalidJobStatus(`The job is already ${change.job.status}`);
      await change.tx.query('update job set priority = $2 where id = $1', [jobId, priority]);
      await change.tx.query(PRIORITISE, [jobId, priority]);
      await this.log.record(change.tx, { by, verb: 'prioritise', target: targetOf({ jobId }), details: { priority } });
    });
  }

  private aside(action: OperatorAction): Aside {
    return { write: ({ tx }) => this.log.record(tx, action) };
  }
}

const targetOf = ({ jobId, index }: JobTarget): OperatorAction['target'] => ({
  job_id: jobId,
  ...(index !== undefined && { index }),
});

const PRIORITISE = `
  with open as (
    select id, lane, row_number() over (order by turn, id) as position,
           status = 'pending' and wake_at is not null as queues
      from (select * from generation where job_id = $1 and status in ('pending', 'processing', 'waiting')
             order by id for update) as locked
  ), place as (
    select lane, ${standOf({ lane: 'lanes.lane', priority: '$2::integer' })} as turn
      from (select distinct lane from open) as lanes
  )
  update generation g
     set priority = $2, turn = case when open.queues then place.turn + open.position else g.turn end
    from open join place using (lane)
   where g.id = open.id and g.priority <> $2`;
