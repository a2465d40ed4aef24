import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '#libs/database/database.js';
import { wakeStep } from '#libs/generations/step-wake.js';
import type { WakeQueue } from '#libs/queue/wake-queue.js';

/** How long what was learned of a prediction counts as news. */
const FRESH = '5 seconds';
const PATIENCE_MS = 2_000;
const LOOK_EVERY_MS = 50;

/**
 * Has a worker ask the provider after a generation that was not asked after for a while, and waits a moment for what
 * it learns. The row decides who asks: once in five seconds, however many processes and clients look.
 */
export class StalePoll {
  constructor(
    private readonly database: Database,
    private readonly queue: WakeQueue,
  ) {}

  /** True: there may be news. */
  async refresh(id: string): Promise<boolean> {
    const lease = await this.wake(id);
    if (lease === null) return false;
    const end = Date.now() + PATIENCE_MS;
    while (Date.now() < end) {
      await delay(LOOK_EVERY_MS);
      if (await this.isAsked(id, lease)) return true;
    }
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

const CLAIM = `
  with waiting as (
    select s.token, g.lease from generation g join step_run s on s.generation_id = g.id and s.status = 'waiting'
     where g.job_id = $1 and g.status = 'waiting'
  ), claimed as (
    update image_generation i set polled_at = clock_timestamp()
      from waiting
     where i.id = $1 and greatest(i.polled_at, i.begun_at) < clock_timestamp() - interval '${FRESH}'
    returning 1
  )
  select waiting.* from waiting, claimed`;
