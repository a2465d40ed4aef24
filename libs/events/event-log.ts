import type { Queryable } from '#libs/database/database.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import type { JobEvent } from './job-event.js';
import { openedEvents } from './sealed-events.js';

/**
 * A place in the order of all of a user's events. Sequence numbers count within one job; across jobs the
 * order is that of the writing transactions, which is settled only once all older ones have ended. Within
 * a job `txid` never falls: it is the writing transaction's, or that of the event before if this is newer.
 */
export interface LogPosition {
  txid: string;
  jobId: string;
  seq: number;
}

export interface LoggedEvent {
  position: LogPosition;
  event: JobEvent;
}

/** Whose events: all of a user's, or those of one collection. */
export interface LogScope {
  userId: string;
  collectionId?: string;
}

/** Where a job's log stands. */
export interface LogHead {
  jobId: string;
  userId: string;
  collectionId: string | null;
  seq: number;
  status: string;
}

/** A row of `job_history`. */
export interface EventRow {
  job_id: string;
  seq: string;
  type: JobEvent['type'];
  data: object;
  at: Date;
}

/** Reads the recorded events. The row is the event; whatever else travels only says that there is one. */
export class EventLog {
  constructor(
    private readonly database: Queryable,
    private readonly keys: CollectionKeys,
  ) {}

  /** Events of a job after number `seq`, in order. */
  async after(jobId: string, seq: number, limit: number): Promise<JobEvent[]> {
    const rows = await this.database.query<EventRow>(
      `select job_id, seq, type, data, at from job_history
        where job_id = $1 and seq > $2 order by seq limit $3`,
      [jobId, seq, limit],
    );
    return (await openedEvents(this.database, this.keys, rows)).map(eventOf);
  }

  /** Where these jobs stand. Those that do not exist are missing. */
  async heads(jobIds: string[]): Promise<LogHead[]> {
    const rows = await this.database.query<Omit<LogHead, 'seq'> & { seq: string }>(
      `select id as "jobId", user_id as "userId", collection_id as "collectionId", seq, status
         from job where id = any($1)`,
      [jobIds],
    );
    return rows.map((row) => ({ ...row, seq: Number(row.seq) }));
  }

  /**
   * Events of a scope after a position, in the order of positions. Those of a transaction are held back
   * while an older one is open, so that none can appear later before the position reached.
   */
  async afterPosition(scope: LogScope, position: LogPosition, limit: number): Promise<LoggedEvent[]> {
    const rows = await this.database.query<EventRow & { txid: string }>(
      `select h.job_id, h.seq, h.type, h.data, h.at, h.txid::text as txid
         from job_history h
        where h.user_id = $1 and (h.txid, h.job_id, h.seq) > ($2::xid8, $3::uuid, $4::bigint)
          and h.txid < pg_snapshot_xmin(pg_current_snapshot())
          and ($5::uuid is null or exists (select from job j where j.id = h.job_id and j.collection_id = $5))
        order by h.txid, h.job_id, h.seq limit $6`,
      [scope.userId, position.txid, position.jobId, position.seq, scope.collectionId ?? null, limit],
    );
    return (await openedEvents(this.database, this.keys, rows)).map((row) => ({
      position: { txid: row.txid, jobId: row.job_id, seq: Number(row.seq) },
      event: eventOf(row),
    }));
  }

  /** The position before everything that is not settled yet. What is older is visible to later reads. */
  async settledPosition(): Promise<LogPosition> {
    const [row] = await this.database.query<{ txid: string }>(
      'select pg_snapshot_xmin(pg_current_snapshot())::text as txid',
    );
    return { txid: row?.txid ?? '0', jobId: '00000000-0000-0000-0000-000000000000', seq: 0 };
  }
}

export const eventOf = (row: EventRow): JobEvent => ({
  seq: Number(row.seq),
  type: row.type,
  job_id: row.job_id,
  at: row.at.toISOString(),
  ...row.data,
});
