import type { Database } from '#libs/database/database.js';
import type { JobControl } from '#libs/generations/job-control.js';
import type { JobTransactions } from '#libs/generations/job-transaction.js';

/** Records given up per sweep; the rest follows with the next. */
const BATCH = 100;
const EXPIRED = { code: 'EXPIRED', message: 'The generation was not begun within 24 hours' };

/** Gives up the records of the two-step face that nobody began: their reservation is released. */
export class Expiry {
  constructor(
    private readonly database: Database,
    private readonly jobs: JobTransactions,
    private readonly control: JobControl,
    private readonly onError: (error: Error) => void = () => undefined,
  ) {}

  /** Returns how many were looked at. One that cannot be given up now keeps no others waiting. */
  async sweep(): Promise<number> {
    const due = await this.database.query<{ id: string }>(
      'select id from image_generation where expires_at < now() order by expires_at limit $1',
      [BATCH],
    );
    for (const { id } of due) await this.expire(id).catch((error: Error) => this.putOff(id, error));
    return due.length;
  }

  private async putOff(id: string, error: Error): Promise<void> {
    this.onError(error);
    await this.database.query(
      `update image_generation set expires_at = now() + interval '5 minutes' where id = $1 and expires_at < now()`, [id],
    );
  }

  private expire(id: string): Promise<void> {
    return this.jobs.change(id, async (change) => {
      // Begun, or given up by another worker, since it was found: then it expires no more.
      const expired = await change.tx.query(
        'update image_generation set expires_at = null where id = $1 and expires_at < now() returning 1',
        [id],
      );
      if (expired.length > 0 && change.job.status === 'pending') await this.control.cancelOpen(change, EXPIRED);
    });
  }
}
