import type { Queryable } from '#libs/database/database.js';
import type { Lane } from '#libs/nodes/node.js';
import type { StoredWorkflow } from './stored-workflow.js';

/** Seconds of a generation nothing is known about. */
const DEFAULT_SECONDS = 10;
/** Finished jobs that tell how long a workflow takes. */
const RECENT_JOBS = 20;
/** Where counting the queue ends: nobody needs to know more exactly how long that is. */
const MAX_WAITING = 1_000;
const DEFAULT_PRIORITY = 50;

export interface Waiting {
  userId: string;
  lane: Lane;
  /** Default 50. */
  priority?: number;
}

/**
 * Seconds until so many generations are finished: the median that one took in this workflow's last jobs (else
 * its own hint, else 10) times their number and the number of those that have their turn before them.
 */
export async function estimateDuration(
  database: Queryable,
  workflow: Pick<StoredWorkflow, 'id' | 'data'>,
  generations: number,
  waiting: Waiting,
): Promise<number> {
  const seconds = await secondsPerGeneration(database, [workflow]);
  const before = await waitingBefore(database, waiting, generations);
  return roundUp((seconds.get(workflow.id) ?? DEFAULT_SECONDS) * (generations + before));
}

/** Seconds of one generation of each workflow, by its id. */
export async function secondsPerGeneration(
  database: Queryable,
  workflows: ReadonlyArray<Pick<StoredWorkflow, 'id' | 'data'>>,
): Promise<Map<string, number>> {
  const rows = await database.query<{ id: string; seconds: number }>(MEDIANS, [
    workflows.map(({ id }) => id), RECENT_JOBS,
  ]);
  const medians = new Map(rows.map(({ id, seconds }) => [id, seconds]));
  const secondsOf = ({ id, data }: Pick<StoredWorkflow, 'id' | 'data'>) =>
    roundUp(medians.get(id) ?? data.estimated_duration ?? DEFAULT_SECONDS);
  return new Map(workflows.map((workflow) => [workflow.id, secondsOf(workflow)]));
}

const MEDIANS = `
  select wanted.id, percentile_cont(0.5) within group (order by recent.seconds)::float8 as seconds
    from unnest($1::uuid[]) as wanted (id)
    join lateral (
      select extract(epoch from completed_at - started_at) / generations as seconds
        from job
       where workflow_id = wanted.id and status = 'completed' and started_at is not null
       order by completed_at desc limit $2
    ) as recent on true
   group by wanted.id`;

/** Generations whose turn comes before that of `generations` submitted now: users alternate. */
async function waitingBefore(
  database: Queryable,
  { userId, lane, priority = DEFAULT_PRIORITY }: Waiting,
  generations: number,
): Promise<number> {
  const [row] = await database.query<{ waiting: number }>(WAITING, [
    userId, lane, priority, generations, MAX_WAITING,
  ]);
  return row?.waiting ?? 0;
}

/** Turns are given by `libs/submission`: behind one's own last, or where the priority's queue stands. */
const WAITING = `
  with lane as (
    select coalesce(
      (select turn - 1 from generation where lane = $2 and priority = $3 and status = 'pending'
        order by turn limit 1),
      (select max(turn) from generation where lane = $2 and started_at is not null), 0) as turn
  ), last as (
    select $4::integer + greatest(lane.turn, (
      select (last_turns ->> $2)::bigint from account where user_id = $1 and open_generations > 0)) as turn
      from lane
  )
  select count(*)::int as waiting from (
    select 1 from generation, last
     where lane = $2 and status = 'pending'
       and (priority > $3 or (priority = $3 and generation.turn <= last.turn))
     limit $5
  ) as before`;

/** To hundredths, upwards: what takes time is never estimated to take none. */
const roundUp = (seconds: number): number => Math.ceil(seconds * 100) / 100;
