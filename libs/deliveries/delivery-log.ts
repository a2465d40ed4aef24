import type { Queryable } from '#libs/database/database.js';
import { notFound } from '#libs/errors/errors.js';
import type { DeliveryStatus } from './delivery.js';

/** What became of telling of one event. */
export interface DeliveryView {
  /** The `webhook-id` that its receiver sees. */
  id: string;
  /** Type and number of the event. */
  event: string;
  seq: number;
  status: DeliveryStatus;
  attempts: number;
  /** Of the last answer. */
  last_status: number | null;
  last_error: string | null;
  /** Of one that is pending. */
  next_attempt_at: Date | null;
  delivered_at: Date | null;
  created_at: Date;
}

type DeliveryRow = Omit<DeliveryView, 'seq'> & { seq: string };

/** What a job's owner sees of its deliveries, and may ask for. */
export class DeliveryLog {
  constructor(private readonly database: Queryable) {}

  /** A user's deliveries of one job after an event's number, in order. */
  async list(userId: string, jobId: string, { after, limit }: { after: string; limit: number }): Promise<DeliveryView[]> {
    const rows = await this.database.query<DeliveryRow>(
      `select ${COLUMNS} from delivery where user_id = $1 and job_id = $2 and seq > $3 order by seq limit $4`,
      [userId, jobId, after, limit],
    );
    return rows.map(viewOf);
  }

  /**
   * Has one sent once more, whatever became of it, with a day of retries before it. Throws `NOT_FOUND` unless it is
   * the user's, and of that job.
   */
  async resend(userId: string, jobId: string, id: string): Promise<DeliveryView> {
    const [row] = await this.database.query<DeliveryRow>(
      `update delivery set status = 'pending', next_at = now(), earlier_attempts = attempts
        where user_id = $1 and job_id = $2 and id = $3 returning ${COLUMNS}`,
      [userId, jobId, id],
    );
    if (!row) throw deliveryNotFound();
    return viewOf(row);
  }
}

export const deliveryNotFound = () => notFound('Delivery');

const viewOf = (row: DeliveryRow): DeliveryView => ({ ...row, seq: Number(row.seq) });

const COLUMNS = `
  id, type as event, seq, status, attempts, last_status, last_error,
  case when status = 'pending' then next_at end as next_attempt_at, delivered_at, created_at`;
