import type { Database, Queryable } from '#libs/database/database.js';
import { submitJob, type SubmittedJob } from './job.js';

const ENDINGS = ['job_completed', 'job_failed', 'job_cancelled'];

export interface WebhookPlan {
  url: string;
  events?: string[];
  userId?: string;
}

/** A job whose submission named a webhook. */
export async function submitTelling(database: Database, plan: WebhookPlan): Promise<SubmittedJob> {
  const job = await submitJob(database, {
    steps: [{ id: 1, nodeName: 'echo', nodePayload: {} }], ...(plan.userId && { userId: plan.userId }),
  });
  await database.query(
    'insert into webhook (job_id, user_id, url, host, events) values ($1, $2, $3, $4, $5)',
    [job.jobId, job.userId, plan.url, new URL(plan.url).host, plan.events ?? ENDINGS],
  );
  return job;
}

/** The job's next event, as a change of state records it. */
export async function record(database: Queryable, jobId: string, type: string, data: object = {}): Promise<void> {
  await database.query(
    `with moved as (
       update job set seq = seq + 1, status = case when $2 = any($4) then substr($2, 5) else 'processing' end
        where id = $1 returning id, user_id, seq
     )
     insert into job_history (job_id, user_id, seq, type, data) select id, user_id, seq, $2, $3 from moved`,
    [jobId, type, JSON.stringify(data), ENDINGS],
  );
}

export interface StoredDelivery {
  id: string;
  seq: string;
  type: string;
  status: string;
  attempts: number;
  last_status: number | null;
  last_error: string | null;
  /** Seconds from now on. */
  due_in: number;
}

export const deliveriesOf = (database: Database, jobId: string): Promise<StoredDelivery[]> =>
  database.query(
    `select *, extract(epoch from next_at - now())::float8 as due_in from delivery where job_id = $1 order by seq`,
    [jobId],
  );

/** As if the time until the next attempts, or the leases, had passed. */
export const timePasses = (database: Database): Promise<unknown[]> =>
  database.query(`update delivery set next_at = now() where status = 'pending'`);
