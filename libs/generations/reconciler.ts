import type { Database, Transaction } from '#libs/database/database.js';
import type { EventBus } from '#libs/events/event-bus.js';
import type { Lane } from '#libs/nodes/node.js';
import type { WakeQueue } from '#libs/queue/wake-queue.js';
import { WORKER_LOST } from './generation-state.js';
import type { ChangedGeneration, JobChange, JobTransactions } from './job-transaction.js';
import { PAUSE_OF } from './paused-generations.js';
import { changedGeneration, CHANGED_COLUMNS, eventOf, failGeneration, type ChangedRow } from './settlement.js';

/** Any fixed number: one reconciler sweeps at a time, whatever the number of workers. */
const RECONCILER_LOCK = 7_065_413;
/** Rows repaired per sweep and kind; the rest follows two seconds later. */
const BATCH = 200;
/** Deaths in one step after which its generation runs alone in a worker. */
const DEATHS_BEFORE_ALONE = 2;
/** Deaths while alone after which it fails. */
const DEATHS_ALONE_TO_FAIL = 2;

export interface Repairs {
  lostLeases: number;
  timedOut: number;
  woken: number;
}

/**
 * Finds rows whose time has come and that no one works on: leases that ran out, deadlines that passed,
 * wake-ups that were lost. Every repair is guarded, so that doing it twice does it once. In a healthy
 * run it repairs nothing.
 */
export class Reconciler {
  constructor(
    private readonly database: Database,
    private readonly jobs: JobTransactions,
    private readonly queue: WakeQueue,
    private readonly bus: EventBus,
    private readonly onError: (error: Error) => void = () => undefined,
  ) {}

  /** One sweep, unless another process is at it (null). */
  sweep(): Promise<Repairs | null> {
    return this.database.transaction(async (tx) => {
      const [lock] = await tx.query<{ mine: boolean }>('select pg_try_advisory_xact_lock($1) as mine', [
        RECONCILER_LOCK,
      ]);
      if (!lock?.mine) return null;
      return {
        lostLeases: await this.handBackLost(),
        timedOut: await this.failOverdue(),
        woken: await this.wakeDue(tx),
      };
    });
  }

  private async handBackLost(): Promise<number> {
    const lost = await this.database.query<{ id: string; job_id: string }>(
      `select id, job_id from generation where status = 'processing' and lease_until < now() limit ${BATCH}`,
    );
    return this.each(lost, (change, id) => this.handBackOne(change, id));
  }

  /** The worker died, or stood still for too long: its attempts end, and another worker goes on at once. */
  private async handBackOne(change: JobChange, id: string): Promise<void> {
    const wake = await handBackLost(change, id);
    if (wake) change.tx.afterCommit(() => this.queue.wake([{ ...wake, generationId: id }]));
  }

  private async failOverdue(): Promise<number> {
    const overdue = await this.database.query<{ id: string; job_id: string }>(
      `select g.id, g.job_id from generation g join job j on j.id = g.job_id where ${OVERDUE} limit ${BATCH}`,
    );
    return this.each(overdue, (change, id) => this.timeOut(change, id));
  }

  /** One that cannot be repaired does not keep the others waiting. */
  private async each(
    rows: Array<{ id: string; job_id: string }>,
    repair: (change: JobChange, id: string) => Promise<void>,
  ): Promise<number> {
    let repaired = 0;
    for (const { id, job_id } of rows) {
      const done = await this.jobs.change(job_id, (change) => repair(change, id)).then(() => true, this.onError);
      if (done) repaired += 1;
    }
    return repaired;
  }

  private async timeOut(change: JobChange, id: string): Promise<void> {
    const [row] = await change.tx.query<ChangedRow>(
      `update generation set lease = lease + 1
        where id = (select g.id from generation g join job j on j.id = g.job_id where g.id = $1 and ${OVERDUE})
          and deadline_at < now()
       returning ${CHANGED_COLUMNS}`,
      [id],
    );
    if (!row) return;
    await failGeneration(change, changedGeneration(row), {
      code: 'GENERATION_TIMEOUT',
      message: 'The generation took longer than it may',
      step_id: null,
    });
    change.tx.afterCommit(() => this.bus.publish({ kind: 'cancel', generationIds: [id] }));
  }

  /** Wakes that are still in the queue have the same id and are ignored there. */
  private async wakeDue(tx: Transaction): Promise<number> {
    const rows = await tx.query<{ id: string; lane: Lane; dispatch: string }>(DUE);
    await this.queue.wake(
      rows.map(({ id, lane, dispatch }) => ({ lane, generationId: id, dispatch: Number(dispatch) })),
    );
    return rows.length;
  }
}

/** Time stands still for what is paused and does not run. */
const OVERDUE = `
  g.status in ('pending', 'processing', 'waiting') and g.deadline_at < now()
    and (g.status = 'processing' or g.paused_by is null and not exists (${PAUSE_OF}))`;

/** Null: the lease was renewed meanwhile, or somebody else has done it. */
async function handBackLost(change: JobChange, id: string): Promise<{ lane: Lane; dispatch: number } | null> {
  const [row] = await change.tx.query<ChangedRow & { lane: Lane; dispatch: string }>(
    `update generation set status = 'pending', lease_until = null, leased_by = null, wake_at = clock_timestamp(),
       wake_seq = wake_seq + 1
      where id = $1 and status = 'processing' and lease_until < now()
     returning ${CHANGED_COLUMNS}, lane, lease + wake_seq as dispatch`,
    [id],
  );
  if (!row) return null;
  const generation = changedGeneration(row);
  const error = { code: WORKER_LOST, message: 'The worker stopped in the middle of this step' };
  const steps = await change.tx.query<{ step_id: string; node: string; alias: string | null; attempt: number }>(
    `update step_run set status = 'failed', completed_at = $2, error = $3
      where generation_id = $1 and status = 'running' returning step_id, node, alias, attempt`,
    [id, change.now, JSON.stringify(error)],
  );
  for (const { step_id, node, alias, attempt } of steps) {
    change.emit('node_failed', {
      ...eventOf(generation), step_id, node, ...(alias && { alias }), status: 'failed', attempt, error,
    });
  }
  change.emit('generation_waiting', { ...eventOf(generation), status: 'pending', message: error.message });
  await countDeaths(change, generation);
  return { lane: row.lane, dispatch: Number(row.dispatch) };
}

/** A poison step takes no innocent with it: it runs alone, and only deaths while alone fail it. */
async function countDeaths(change: JobChange, generation: ChangedGeneration): Promise<void> {
  const [worst] = await change.tx.query<{ step_id: string; deaths: number; alone: number }>(DEATHS, [
    generation.id, generation.run, WORKER_LOST,
  ]);
  if (!worst) return;
  if (worst.alone >= DEATHS_ALONE_TO_FAIL) {
    const message = 'The step stops its worker each time it runs';
    await failGeneration(change, generation, { code: WORKER_LOST, message, step_id: worst.step_id });
  } else if (worst.deaths >= DEATHS_BEFORE_ALONE) {
    await change.tx.query('update generation set alone = true where id = $1', [generation.id]);
  }
}

const DEATHS = `
  select step_id, count(*)::int as deaths, (count(*) filter (where alone))::int as alone
    from step_run where generation_id = $1 and run = $2 and status = 'failed' and error ->> 'code' = $3
   group by step_id order by alone desc, deaths desc limit 1`;

const DUE = `
  with lane as (select unnest(array['chromium', 'provider', 'default']) as lane)
  select d.* from lane, lateral (
    (select id, g.lane, lease + wake_seq as dispatch from generation g
      where g.lane = lane.lane and status = 'waiting' and paused_by is null and wake_at <= now()
        and (lease_until is null or lease_until < now())
      order by wake_at limit ${BATCH})
    union all
    (select id, g.lane, lease + wake_seq as dispatch from generation g
      where g.lane = lane.lane and status = 'pending' and paused_by is null and wake_at <= now() - interval '1 second'
        and (lease_until is null or lease_until < now())
      order by priority desc, turn, id limit ${BATCH})
  ) d`;
