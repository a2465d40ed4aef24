import type { JobEvent } from '#libs/events/job-event.js';

/**
 * `pending` until an endpoint has taken it; `failed` when it was tried for a day; `disabled` when the address said
 * that it wants no more.
 */
export type DeliveryStatus = 'pending' | 'delivered' | 'failed' | 'disabled';

/** One that is to be sent now, and is nobody else's to send until its lease has run out. */
export interface DueDelivery {
  /** `webhook-id`: the same in every attempt. */
  id: string;
  userId: string;
  url: string;
  host: string;
  /** Counts all attempts. By it an outcome that comes too late is known. */
  attempt: number;
  /** The same since it was last asked for: 1 is the first. */
  tries: number;
  event: JobEvent;
  job: DeliveredJob;
}

/** What an event does not say of its job, and who hears of it would ask first. */
export interface DeliveredJob {
  collection_id: string | null;
  external_id: string | null;
  tags: string[];
}

/** What came of an attempt. Words are ours: nothing of the answer's body is kept. */
export interface DeliveryOutcome {
  /** Of the answer; null: there was none. */
  status: number | null;
  /** Null: it was taken. */
  error: string | null;
  /** The same request will never be taken. */
  permanent?: boolean;
  retryAfterMs?: number;
}
