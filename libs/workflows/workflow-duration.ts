import { LRUCache } from 'lru-cache';
import type { Queryable } from '#libs/database/database.js';
import { LANES, type Lane } from '#libs/nodes/node.js';
import type { StoredWorkflow } from './stored-workflow.js';

/** Seconds of a generation nothing is known about. */
const DEFAULT_SECONDS = 10;
/** Finished jobs that tell how long a workflow takes. */
const RECENT_JOBS = 20;
/** Where looking at a queue ends: nobody needs to know more exactly how long that is. */
const MAX_WAITING = 1_000;
const DEFAULT_PRIORITY = 50;
/** A moment ago is exact enough for an estimate. */
const REMEMBERED_MS = 1_000;
const REMEMBERED_WORKFLOWS = 10_000;

export interface Waiting {
  userId: string;
  lane: Lane;
  /** Default 50. */
  priority?: number;
}

/** The head of a lane's queue, in the order in which it is worked off. */
type Queue = Array<{ user_id: string; priority: number; turn: string }>;

/** How long work takes. What it reads it remembers for a second, so that submissions do not ask each by itself. */
export class DurationEstimates {
  private readonly medians: LRUCache<string, { seconds: number | null }>;
  private readonly queues: LRUCache<Lane, Queue>;

  constructor(
    private readonly database: Queryable,
    rememberMs = REMEMBERED_MS,
  ) {
    this.medians = new LRUCache({ max: REMEMBERED_WORKFLOWS, ttl: rememberMs, fetchMethod: (id) => this.median(id) });
    this.queues = new LRUCache({ max: LANES.length, ttl: rememberMs, fetchMethod: (lane) => this.queue(lane) });
  }

  /**
   * Seconds until so many generations are finished: the median that one took in this workflow's last jobs (else
   * its own hint, else 10) times their number and the number of those that have their turn before them.
   */
  async until(
    workflow: Pick<StoredWorkflow, 'id' | 'data'>,
    generations: number,
    waiting: Waiting,
  ): Promise<number> {
    const known = await this.medians.forceFetch(workflow.id);
    const before = waitingBefore(await this.queues.forceFetch(waiting.lane), waiting, generations);
    return roundUp(secondsOf(workflow, known.seconds) * (generations + before));
  }

  private async median(id: string): Promise<{ seconds: number | null }> {
    const [row] = await this.database.query<{ seconds: number }>(MEDIANS, [[id], RECENT_JOBS]);
    return { seconds: row?.seconds ?? null };
  }

  private queue(lane: Lane): Promise<Queue> {
    return this.database.query(HEAD, [lane, MAX_WAITING]);
  }
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
  return new Map(workflows.map((workflow) => [workflow.id, secondsOf(workflow, medians.get(workflow.id))]));
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

const secondsOf = ({ data }: Pick<StoredWorkflow, 'data'>, median: number | null | undefined): number =>
  roundUp(median ?? data.estimated_duration ?? DEFAULT_SECONDS);

/**
 * Generations whose turn comes before that of `generations` submitted now: users alternate. Turns are given by
 * `libs/submission`: behind one's own last, or where the priority's queue stands.
 */
function waitingBefore(
  queue: Queue,
  { userId, priority = DEFAULT_PRIORITY }: Waiting,
  generations: number,
): number {
  const urgent = queue.filter((other) => other.priority > priority).length;
  const equal = queue.filter((other) => other.priority === priority).map(({ turn }) => Number(turn));
  const own = queue.filter(({ user_id }) => user_id === userId).map(({ turn }) => Number(turn));
  const last = generations + Math.max(Math.min(...equal) - 1, ...own);
  return urgent + equal.filter((turn) => turn <= last).length;
}

const HEAD = `
  select user_id, priority, turn from generation where lane = $1 and status = 'pending' and wake_at is not null
   order by priority desc, turn, id limit $2`;

/** To hundredths, upwards: what takes time is never estimated to take none. */
const roundUp = (seconds: number): number => Math.ceil(seconds * 100) / 100;
