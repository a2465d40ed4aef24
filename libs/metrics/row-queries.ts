import { IN_FORCE, PAUSE_OF } from '#libs/generations/paused-generations.js';

export interface Queue {
  /** Those that a pause holds back have the status `paused`. */
  depth: Array<{ lane: string; status: string; generations: number }>;
  pauses: Array<{ scope: string; mode: string; pauses: number }>;
  users: number;
  /** Seconds; 0: there is none. */
  unfinished: number;
  queued: number;
  stalled: number;
  overdue: number;
  undelivered: number;
}

export interface Books {
  accounts: number;
  /** Credits. */
  balance: number;
  held: number;
  drift: number;
}

export interface Stored {
  bytes: number;
  files: number;
  /** Files that the storage did not have when it was last asked. */
  missing: number;
  /** Bytes of the database, with its indexes. */
  database: number;
}

export interface Workflow {
  id: string;
  name: string;
}

/** A generation `g` that is held back, whether or not a claim has met and marked it yet. */
const PAUSED = `
  g.status <> 'processing' and (g.paused_by is not null
    or exists (select from pause p where ${IN_FORCE})
       and exists (select from job j where j.id = g.job_id and exists (${PAUSE_OF})))`;

/**
 * One look at what is open, by the partial indexes on open generations. $1: milliseconds that a run may
 * take, since a resumed generation is as old as its run. One that nobody has started yet (it has neither
 * begun nor a time to begin) is not waited for, and neither is one that an operator has paused.
 */
export const QUEUE = `
  with open as materialized (
    select id, lane, case when ${PAUSED} then 'paused' else status end as status,
           user_id, started_at, wake_at, lease_until, deadline_at,
           case when run = 1 then created_at
                else coalesce(deadline_at - make_interval(secs => $1::float8 / 1000), wake_at, created_at) end as since
      from generation g
     where status in ('pending', 'processing', 'waiting') and (wake_at is not null or started_at is not null)
  ), step as (
    select greatest(o.started_at, max(s.started_at), max(s.completed_at)) as moved_at
      from open o left join step_run s on s.generation_id = o.id
     where o.status = 'processing' group by o.id, o.started_at
  )
  select (select coalesce(json_agg(d), '[]')
            from (select lane, status, count(*)::int as generations from open group by lane, status) d) as depth,
         (select coalesce(json_agg(p), '[]')
            from (select scope, mode, count(*)::int as pauses from pause p where ${IN_FORCE} group by scope, mode) p) as pauses,
         count(distinct user_id)::int as users,
         coalesce(extract(epoch from now() - min(since) filter (where status <> 'paused')), 0)::float8 as unfinished,
         coalesce(extract(epoch from now() - min(wake_at) filter (
           where status in ('pending', 'waiting') and wake_at <= now()
             and (lease_until is null or lease_until < now()))), 0)::float8 as queued,
         coalesce((select greatest(extract(epoch from now() - min(moved_at)), 0) from step), 0)::float8 as stalled,
         (count(*) filter (where status <> 'paused' and deadline_at < now() - interval '1 minute'))::int as overdue,
         coalesce((select extract(epoch from now() - min(next_at)) from delivery
                    where status = 'pending' and next_at <= now()), 0)::float8 as undelivered
    from open`;

/** Compares what is held with what is open, in one snapshot. The whole ledger: `POST /admin/credits/reconcile`. */
export const BOOKS = `
  with open as materialized (
    select user_id, job_id, price from generation where status in ('pending', 'processing', 'waiting')
  ), generations as (
    select user_id, sum(price) as price, count(*) as open from open group by user_id
  ), base as (
    select user_id, sum(base_price) as price from job
     where base_status = 'held' and id in (select job_id from open) group by user_id
  )
  select count(*)::int as accounts,
         coalesce(sum(a.balance) / 1e6, 0)::float8 as balance,
         coalesce(sum(a.held) / 1e6, 0)::float8 as held,
         (count(*) filter (
           where a.held <> coalesce(g.price, 0) + coalesce(b.price, 0)
              or a.open_generations + a.in_flight <> coalesce(g.open, 0)))::int as drift
    from account a left join generations g using (user_id) left join base b using (user_id)`;

export const STORED = `
  select coalesce(sum(size), 0)::float8 as bytes, count(*)::int as files,
         (count(*) filter (where missing_since is not null))::int as missing,
         pg_database_size(current_database())::float8 as database
    from flat_file where deleted_at is null`;

export const WORKFLOWS = 'select id, name from workflow where id = any($1::uuid[])';
