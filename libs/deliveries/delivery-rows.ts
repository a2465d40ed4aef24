import type { Database } from '#libs/database/database.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import { KeyUnavailable } from '#libs/encryption/key-management.js';
import { openedEvents } from '#libs/events/sealed-events.js';
import { eventOf, type EventRow } from '#libs/events/event-log.js';
import type { DeliveredJob, DeliveryOutcome, DueDelivery } from './delivery.js';
import { judgeDelivery, type DeliveryVerdict } from './delivery-verdict.js';

/** Webhooks that are looked at in one transaction. */
const WEBHOOKS = 50;
/** Events of one webhook that are looked at together. */
const EVENTS = 200;
/** Longer than an attempt takes. One that was not recorded by then is made again. */
const LEASE_SECONDS = 30;
/** Jobs whose key is away that are passed over in one claim, and how long they rest. */
const PASSED_OVER = 100;
const REST_SECONDS = 60;

/** Whose deliveries are not to be claimed now. */
export interface Occupied {
  hosts: string[];
  users: string[];
}

type ClaimedRow = EventRow & DeliveredJob & {
  id: string;
  user_id: string;
  url: string;
  host: string;
  attempts: number;
  tries: number;
};

/** Turns events into deliveries, hands those out that are due, and keeps what came of them. */
export class DeliveryRows {
  constructor(
    private readonly database: Database,
    private readonly keys: CollectionKeys,
    private readonly leaseSeconds = LEASE_SECONDS,
  ) {}

  /**
   * Makes the deliveries of events that were recorded since the last look, some of them: true when there may be more.
   * Numbers of events have no gaps and none appears late, so a place in them loses nothing.
   */
  arise(): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      const webhooks = await tx.query<{ job_id: string }>(BEHIND, [WEBHOOKS]);
      if (webhooks.length === 0) return false;
      // A statement of its own: what was committed before the webhook's lock was had is seen.
      const [reached] = await tx.query<{ more: boolean }>(ARISE, [webhooks.map(({ job_id }) => job_id), EVENTS]);
      return webhooks.length === WEBHOOKS || Boolean(reached?.more);
    });
  }

  /**
   * The next one that is due, for the caller alone until its lease has run out. Those of an encrypted collection whose
   * key is away rest, and hold up no others.
   */
  async claim({ hosts, users }: Occupied): Promise<DueDelivery | null> {
    for (let passedOver = 0; passedOver < PASSED_OVER; passedOver++) {
      const [row] = await this.database.query<ClaimedRow>(CLAIM, [hosts, users, this.leaseSeconds]);
      if (!row) return null;
      const opened = await this.openedOrPutOff(row);
      if (opened) return dueDelivery(opened);
    }
    return null;
  }

  /** Keeps what came of an attempt, unless another one has begun since. */
  async settle(delivery: DueDelivery, { status, error }: DeliveryOutcome, verdict: DeliveryVerdict): Promise<void> {
    const { id, attempt, userId, url } = delivery;
    await this.database.change(SETTLE, [id, attempt, verdict.status, verdict.retryInMs, status, error, userId, url]);
    if (verdict.status === 'disabled') await this.database.change(GONE, [userId, url]);
  }

  /** Null: it cannot be read now. A key that is away is no try of the receiver's; rows that were changed are. */
  private async openedOrPutOff(row: ClaimedRow): Promise<ClaimedRow | null> {
    try {
      const [opened] = await openedEvents(this.database, this.keys, [row]);
      return opened ?? null;
    } catch (error) {
      if (error instanceof KeyUnavailable) {
        await this.database.change(REST, [row.id, row.attempts, REST_SECONDS, row.job_id]);
      } else {
        const outcome = { status: null, error: 'The event could not be read' };
        await this.settle(dueDelivery(row), outcome, judgeDelivery(outcome, row.tries));
      }
      return null;
    }
  }
}

function dueDelivery(row: ClaimedRow): DueDelivery {
  const { id, user_id, url, host, attempts, tries, collection_id, external_id, tags } = row;
  return {
    id, url, host, tries,
    userId: user_id,
    attempt: attempts,
    event: eventOf(row),
    job: { collection_id, external_id, tags },
  };
}

const BEHIND = `
  select w.job_id from webhook w join job j on j.id = w.job_id
   where w.watched and j.seq > w.seq
   limit $1 for update of w skip locked`;

/** A job that has ended is watched no more: resuming it says so itself. */
const ARISE = `
  with reached as (
    select w.*, least(j.seq, w.seq + $2) as newest,
           j.seq > w.seq + $2 as more, j.status in ('pending', 'processing') as open
      from webhook w join job j on j.id = w.job_id where w.job_id = any($1::uuid[])
  ), made as (
    insert into delivery (job_id, user_id, host, seq, type, status, last_error)
    select r.job_id, r.user_id, r.host, h.seq, h.type,
           case when g.user_id is null then 'pending' else 'disabled' end,
           case when g.user_id is not null then 'The address has answered 410: it wants no more' end
      from reached r
      join job_history h on h.job_id = r.job_id and h.seq > r.seq and h.seq <= r.newest and h.type = any(r.events)
      left join webhook_gone g on g.user_id = r.user_id and g.url_digest = md5(r.url)
    on conflict (job_id, seq) do nothing
  ), moved as (
    update webhook w set seq = r.newest, watched = r.open or r.more from reached r where w.job_id = r.job_id
  )
  select bool_or(more) as more from reached`;

const CLAIM = `
  with due as (
    select id from delivery
     where status = 'pending' and next_at <= now() and host <> all($1::text[]) and user_id <> all($2::uuid[])
     order by next_at limit 1 for update skip locked
  ), claimed as (
    update delivery d set attempts = d.attempts + 1, next_at = now() + make_interval(secs => $3)
      from due where d.id = due.id
    returning d.*
  )
  select c.id, c.user_id, c.host, c.attempts, c.attempts - c.earlier_attempts as tries, w.url,
         h.job_id, h.seq, h.type, h.data, h.at, j.collection_id, j.external_id, j.tags
    from claimed c
    join webhook w on w.job_id = c.job_id
    join job_history h on h.job_id = c.job_id and h.seq = c.seq
    join job j on j.id = c.job_id`;

/** An address that takes one again, because its user asked for it, is told of what follows, too. */
const SETTLE = `
  with wanted as (
    delete from webhook_gone where user_id = $7 and url_digest = md5($8) and $3 = 'delivered'
  )
  update delivery
     set status = $3, next_at = now() + make_interval(secs => coalesce($4::float8, 0) / 1000), last_status = $5,
         last_error = $6, delivered_at = case when $3 = 'delivered' then now() else delivered_at end
   where id = $1 and attempts = $2 and status = 'pending'`;

/** With the others of its job that are due: each of them would ask for the same key. */
const REST = `
  with others as (
    select id from delivery
     where job_id = $4 and id <> $1 and status = 'pending' and next_at <= now() for update skip locked
  ), rested as (
    update delivery d set next_at = now() + make_interval(secs => $3) from others where d.id = others.id
  )
  update delivery
     set earlier_attempts = earlier_attempts + 1, next_at = now() + make_interval(secs => $3),
         last_error = 'The key of the encrypted collection could not be had'
   where status = 'pending' and id = $1 and attempts = $2`;

const GONE = `
  with gone as (
    insert into webhook_gone (user_id, url_digest) values ($1, md5($2)) on conflict do nothing
  )
  update delivery d
     set status = 'disabled', last_error = coalesce(d.last_error, 'The address has answered 410: it wants no more')
    from webhook w
   where w.user_id = $1 and md5(w.url) = md5($2) and d.job_id = w.job_id and d.status = 'pending'`;
