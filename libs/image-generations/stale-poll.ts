import type { Database } from '#libs/database/database.js';
import type { JobWaiter } from '#libs/generations/job-waiter.js';
import { wakeStep } from '#libs/generations/step-wake.js';
import type { WakeQueue } from '#libs/queue/wake-queue.js';

/** How long what was learned of a prediction counts as news. */
const FRESH = '5 seconds';
const PATIENCE_SECONDS = 2;

/**
 * Has a worker ask the provider after a generation that was not asked after for a while, and waits a moment for what
 * it learns. The row decides who asks: once in five seconds, however many processes and clients look.
 */
export class StalePoll {
  constructor(
    private readonly database: Database,
    private readonly queue: WakeQueue,
    private readonly waiter: JobWaiter,
  ) {}

  /** True: there may be news. */
  async refresh(id: string): Promise<boolean> {
    const lease = await this.wake(id);
    if (lease === null) return false;
    const isReached = () => this.isAsked(id, lease);
    await this.waiter.until({ jobId: id, seconds: PATIENCE_SECONDS, isReached });
    return true;
  }

  private wake(id: string): Promise<string | null> {
    return this.database.transaction(async (tx) => {
      const [stale] = await tx.query<{ token: string; lease: string }>(CLAIM, [id]);
      return stale && (await wakeStep(tx, this.queue, stale.token)) ? stale.lease : null;
    });
  }

  private async isAsked(id: string, lease: string): Promise<boolean> {
    const rows = await this.database.query(
      `select from generation where job_id = $1 and lease > $2 and status not in ('pending', 'processing')`,
      [id, lease],
    );
    return rows.length > 0;
  }
}

/** Each look of a worker leaves an event. */
const CLAIM = `
  with waiting as (
    select s.token, g.lease from generation g join step_run s on s.generation_id = g.id and s.status = 'waiting'
     where g.job_id = $1 and g.status = 'waiting'
       and (select h.at from job_history h where h.job_id = $1 order by h.seq desc limit 1)
           < clock_timestamp() - interval '${FRESH}'
  ), claimed as (
    update image_generation i set polled_at = clock_timestamp()
      from waiting
     where i.id = $1 and greatest(i.polled_at, i.begun_at) < clock_timestamp() - interval '${FRESH}'
    returning 1
  )
  select waiting.* from waiting, claimed`;
