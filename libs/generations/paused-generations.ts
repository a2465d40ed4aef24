import type { Database, Queryable } from '#libs/database/database.js';
import type { Lane } from '#libs/nodes/node.js';
import { standOf } from './turns.js';

/** Generations that one statement sets aside. */
const SET_ASIDE_AT_ONCE = 2_000;
/** Generations after which one statement takes back no further user's: each one's go together, as their turns move by as much. */
const TAKEN_BACK_AT_ONCE = 2_000;

/** SQL of what makes a pause `p` count: it was not lifted, and its time is not over. */
export const IN_FORCE = 'p.lifted_at is null and (p.until is null or p.until > now())';

/** SQL of whether a generation `g` of the job `j` is of what a pause names. */
export const isOf = (pause: string): string => `
    case ${pause}.scope when 'all' then true
                        when 'lane' then ${pause}.subject = g.lane
                        when 'user' then ${pause}.subject = g.user_id::text
                        else ${pause}.subject = j.workflow_id::text end`;

/** SQL of whether a pause `p` is for a generation `g` of the job `j`. What has begun goes on while a drain lasts. */
const IS_FOR = `(p.mode = 'pause' or g.deadline_at is null) and ${isOf('p')}`;

/** SQL of the oldest pause that holds back a generation `g` of the job `j`: none, or its `id`. */
export const PAUSE_OF = `
  select p.id from pause p where ${IN_FORCE} and ${IS_FOR} order by p.created_at limit 1`;

/** A generation that waits for a worker again. */
export interface TakenBack {
  id: string;
  lane: Lane;
  dispatch: string;
  /** Whether it may be claimed now: no other pause holds it, and its time has come. */
  due: boolean;
}

/**
 * Marks generations that a pause holds back, some of them: 0 when there is none left. Claims mark what they meet all
 * the same; this keeps them from meeting thousands. One that a worker holds is not paused before it is left.
 */
export async function setAside(db: Queryable, pauseId: string): Promise<number> {
  const rows = await db.query(SET_ASIDE, [pauseId, SET_ASIDE_AT_ONCE]);
  return rows.length;
}

/**
 * Takes the mark from generations of a pause that is over, some of them: none when there is none left, or when others
 * hold them just then. They join the queue where it stands, each user's in the order they had: whoever waited behind
 * a pause neither overtakes the others nor has lost their place. Their deadlines, those of what they wait for outside,
 * and since when they might be taken, move by the time they were held back. One that another pause holds back goes over to it.
 */
export function takeBack(database: Database, pauseId: string): Promise<TakenBack[]> {
  return database.change<TakenBack>(TAKE_BACK, [pauseId, TAKEN_BACK_AT_ONCE]);
}

const FREE = '(g.lease_until is null or g.lease_until < now())';

const SET_ASIDE = `
  with resting as (
    select g.id from generation g join job j on j.id = g.job_id join pause p on p.id = $1 and ${IN_FORCE}
     where g.status = 'pending' and g.wake_at is not null and g.paused_by is null and ${FREE} and ${IS_FOR}
     limit $2 for update of g skip locked
  ), waiting as (
    select g.id from generation g join job j on j.id = g.job_id join pause p on p.id = $1 and ${IN_FORCE}
     where g.status = 'waiting' and g.paused_by is null and ${FREE} and ${IS_FOR}
     limit $2 for update of g skip locked
  )
  update generation g set paused_by = $1, paused_at = now()
   where g.id in (select id from resting union all select id from waiting)
  returning 1`;

const TAKE_BACK = `
  with whose as (
    select distinct user_id
      from (select user_id from generation where paused_by = $1 order by user_id limit $2) as first
  ), marked as (
    select g.* from generation g
     where g.paused_by = $1 and g.user_id in (select user_id from whose) for update of g skip locked
  ), held as (
    select g.id, g.user_id, g.lane, g.priority, g.turn, g.paused_at,
           g.status = 'pending' and g.wake_at is not null as queues, other.id as pause_id
      from marked g join job j on j.id = g.job_id left join lateral (${PAUSE_OF}) as other on true
  ), place as (
    select lane, priority, ${standOf({ lane: 'lanes.lane', priority: 'lanes.priority' })} as turn
      from (select distinct lane, priority from held) as lanes
  ), move as (
    select h.user_id, h.lane, h.priority, max(h.turn) as last,
           greatest(0, (select p.turn from place p where p.lane = h.lane and p.priority = h.priority) + 1 - min(h.turn)) as by
      from held h where h.queues and h.pause_id is null group by h.user_id, h.lane, h.priority
  ), taken as (
    update generation g
       set paused_by = h.pause_id, paused_at = case when h.pause_id is not null then g.paused_at end,
           turn = g.turn + case when h.queues then coalesce(m.by, 0) else 0 end,
           deadline_at = case when h.pause_id is null then g.deadline_at + (now() - h.paused_at) else g.deadline_at end,
           wake_at = case when h.pause_id is null then greatest(g.wake_at, least(now(), g.wake_at + (now() - h.paused_at)))
                          else g.wake_at end
      from held h left join move m using (user_id, lane, priority)
     where g.id = h.id
    returning g.id, g.lane, g.lease + g.wake_seq as dispatch,
              h.pause_id is null and g.status in ('pending', 'waiting') and coalesce(g.wake_at <= now(), false) as due
  ), steps as (
    update step_run s set deadline_at = s.deadline_at + (now() - h.paused_at)
      from held h
     where s.generation_id = h.id and s.status = 'waiting' and h.pause_id is null
  ), newest as (
    select m.user_id, m.lane, max(m.last + m.by) as turn from move m where m.by > 0 group by m.user_id, m.lane
  ), turns as (
    update account a set last_turns = a.last_turns || later.turns
      from (select n.user_id, jsonb_object_agg(n.lane, n.turn) as turns
              from newest n join account known using (user_id)
             where n.turn > coalesce((known.last_turns ->> n.lane)::bigint, 0) group by n.user_id) as later
     where a.user_id = later.user_id
  )
  select * from taken`;
