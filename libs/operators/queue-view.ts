import type { Database } from '#libs/database/database.js';
import { isOf, PAUSE_OF } from '#libs/generations/paused-generations.js';
import type { Pause, Pauses } from './pauses.js';

/** What waiting work is told apart by. */
export const GROUPINGS = ['lane', 'workflow', 'user'] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** Open generations with something in common. Ages are seconds; null: there is none. */
export interface Waiting {
  /** The lane, or the id of the workflow or user; null: of an instruction set of its own. */
  subject: string | null;
  /** What the workflow is called. */
  name: string | null;
  /** May be taken now. */
  ready: number;
  /** Wait for the outside, or for the time of a retry. */
  waiting: number;
  running: number;
  paused: number;
  /** Since when the oldest that may be taken has been so. */
  oldest_ready_seconds: number | null;
  /** Of the oldest that has not ended, since its submission. */
  oldest_seconds: number | null;
}

/** A generation in the hands of a worker. */
export interface Running {
  generation_id: string;
  job_id: string;
  index: number;
  user_id: string;
  workflow_id: string | null;
  lane: string;
  priority: number;
  worker: string | null;
  /** Grows with each claim. */
  lease: number;
  /** Until when it is the worker's; it is prolonged every three seconds. In the past: the worker is lost. */
  lease_until: Date | null;
  started_at: Date | null;
  deadline_at: Date | null;
  /** Nodes of the steps that run now. */
  nodes: string[];
}

/** What an operator's verb comes back with. */
export interface OperatedJob {
  id: string;
  user_id: string;
  workflow_id: string | null;
  status: string;
  priority: number;
  generations: number;
  completed: number;
  failed: number;
  cancelled: number;
}

/** A pause, with what it means at this moment. */
export interface PauseState extends Pause {
  /** Generations it holds back. */
  holds: number;
  /** Those it is for that go on all the same: they run in a worker, or had begun when a drain came. */
  goes_on: number;
}

/** What operators see of the queue. All of it is read of the rows: true whatever becomes of Redis. */
export class QueueView {
  constructor(
    private readonly database: Database,
    private readonly pauses: Pauses,
  ) {}

  /** Those with the most open generations first. */
  waiting(by: Grouping, limit: number): Promise<Waiting[]> {
    return this.database.query<Waiting>(WAITING[by], [limit]);
  }

  /** The longest first. */
  running(limit: number): Promise<Running[]> {
    return this.database.query<Running>(RUNNING, [limit]);
  }

  /** As it is after a verb. Null: there is none. */
  async job(id: string): Promise<OperatedJob | null> {
    const [job] = await this.database.query<OperatedJob>(JOB, [id]);
    return job ?? null;
  }

  async paused(): Promise<PauseState[]> {
    const pauses = await this.pauses.inForce();
    if (pauses.length === 0) return [];
    const rows = await this.database.query<{ id: string; holds: number; goes_on: number }>(COUNTS);
    const counts = new Map(rows.map((row) => [row.id, row]));
    return pauses.map((pause) => {
      const { holds = 0, goes_on = 0 } = counts.get(pause.id) ?? {};
      return { ...pause, holds, goes_on };
    });
  }
}

/** Open, and on the road: what its user has not begun yet is not. */
const OPEN = `
    from generation g join job j on j.id = g.job_id
   where g.status in ('pending', 'processing', 'waiting') and (g.wake_at is not null or g.started_at is not null)`;

const waitingBy = (column: string, name: string) => `
  with open as materialized (
    select g.*, j.workflow_id, exists (${PAUSE_OF}) and g.status <> 'processing' as paused ${OPEN}
  ), counted as (
    select ${column} as subject, count(*) as all_open,
           (count(*) filter (where due))::int as ready,
           (count(*) filter (where not paused and not due and status <> 'processing'))::int as waiting,
           (count(*) filter (where status = 'processing'))::int as running,
           (count(*) filter (where paused))::int as paused,
           extract(epoch from now() - min(wake_at) filter (where due))::float8 as oldest_ready_seconds,
           extract(epoch from now() - min(created_at))::float8 as oldest_seconds
      from (select *, not paused and status <> 'processing' and coalesce(wake_at <= now(), false) as due from open) as o
     group by ${column}
  )
  select subject, ${name} as name, ready, waiting, running, paused, oldest_ready_seconds, oldest_seconds
    from counted order by all_open desc, subject limit $1`;

const WAITING: Record<Grouping, string> = {
  lane: waitingBy('lane', 'null'),
  workflow: waitingBy('workflow_id', '(select w.name from workflow w where w.id = subject)'),
  user: waitingBy('user_id', 'null'),
};

const RUNNING = `
  select g.id as generation_id, g.job_id, g.index, g.user_id, j.workflow_id, g.lane, g.priority, g.leased_by as worker,
         g.lease::int as lease, g.lease_until, g.started_at, g.deadline_at,
         array(select s.node from step_run s where s.generation_id = g.id and s.status = 'running' order by s.id) as nodes
    from generation g join job j on j.id = g.job_id
   where g.status = 'processing' order by g.started_at, g.id limit $1`;

const COUNTS = `
  select mine.id, (count(*) filter (where open.held = mine.id))::int as holds,
         (count(*) filter (where open.held is null))::int as goes_on
    from pause mine cross join lateral (
      select case when g.status <> 'processing' then (${PAUSE_OF}) end as held ${OPEN} and ${isOf('mine')}) as open
   where mine.lifted_at is null group by mine.id`;

const JOB = `
  select id, user_id, workflow_id, status, priority, generations, completed, failed, cancelled from job where id = $1`;
