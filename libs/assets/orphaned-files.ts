import { randomUUID } from 'node:crypto';
import type { Database, Queryable } from '#libs/database/database.js';
import type { ListedObject, Storage } from '#libs/storage/storage.js';
import { renderIn } from './asset-key.js';
import { variantAt } from './thumbnails.js';

/** Longer than anything that has put a file takes to write its row. */
const OLD_AFTER_MS = 24 * 3_600_000;
const PAGE = 500;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Where files of assets lie; all else in the storage is not ours to judge. */
const PLACES = ['generations/', 'encrypted/', 'uploads/', 'private/', 'public/renders/'] as const;

/**
 * Removes files that no row names: a process died between putting one and recording it. It goes round the
 * storage page by page, from a place of its own, so that several workers share the round and a restarted one
 * does not begin it again. Only what a user or an ended generation of this database left is removed: a
 * storage that another installation uses as well, or that a wrong DATABASE_URL is pointed at, loses nothing.
 */
export class OrphanedFiles {
  private place: (typeof PLACES)[number] = 'generations/';
  private after: string | undefined = this.place + randomUUID();

  constructor(
    private readonly database: Database,
    private readonly storage: Storage,
    private readonly oldAfterMs = OLD_AFTER_MS,
  ) {}

  /** Looks at the next page; returns how many files it removed. */
  async sweep(): Promise<number> {
    const page = await this.storage.list({ prefix: this.place, after: this.after, limit: PAGE });
    const old = page.filter(({ modifiedAt }) => Number(modifiedAt) < Date.now() - this.oldAfterMs);
    let removed = 0;
    for (const key of await unnamed(this.database, old)) {
      if (await this.remove(key)) removed += 1;
    }
    this.goOn(page);
    return removed;
  }

  private goOn(page: ListedObject[]): void {
    if (page.length === PAGE) this.after = page.at(-1)?.key;
    else [this.place, this.after] = [PLACES[PLACES.indexOf(this.place) + 1] ?? PLACES[0], undefined];
  }

  private remove(key: string): Promise<boolean> {
    switch (this.place) {
      case 'generations/': return this.removeGenerated(key, key.split('/')[3]);
      case 'encrypted/': return this.removeGenerated(key, key.split('/')[5]);
      case 'public/renders/': return this.removeRender(key);
      default: return this.removeUpload(key);
    }
  }

  /** Every upload has a key of its own: one without a row after a day never gets it. */
  private async removeUpload(key: string): Promise<boolean> {
    const [, userId = ''] = key.split('/');
    if (!UUID.test(userId)) return false;
    const known = await this.database.query('select 1 from account where user_id = $1', [userId]);
    if (known.length > 0) await this.storage.delete(key);
    return known.length > 0;
  }

  /** A render is named after the attempt that made it. */
  private async removeRender(key: string): Promise<boolean> {
    const [step] = await this.database.query<{ generation_id: string }>(
      `select generation_id from step_run where md5(token::text) = $1 and node = 'replicate'`,
      [renderIn(key)?.replaceAll('-', '')],
    );
    return step ? this.removeGenerated(key, step.generation_id) : false;
  }

  /** While its row is locked a generation cannot be resumed, so no step of it puts this very file again. */
  private async removeGenerated(key: string, generationId = ''): Promise<boolean> {
    if (!UUID.test(generationId)) return false;
    return this.database.transaction(async (tx) => {
      const ended = await tx.query(
        `select 1 from generation where id = $1 and status in ('completed', 'failed', 'cancelled')
         for update skip locked`,
        [generationId],
      );
      if (ended.length === 0 || (await unnamed(tx, [{ key }])).length === 0) return false;
      await this.storage.delete(key);
      return true;
    });
  }
}

/**
 * Keys that no row names, deleted ones included: their bytes go with their rows. A thumbnail is named by its asset's,
 * which may be about to say that it is there.
 */
async function unnamed(db: Queryable, files: { key: string }[]): Promise<string[]> {
  if (files.length === 0) return [];
  const rows = await db.query<{ key: string }>(
    `select key from unnest($1::text[], $2::text[]) as file (key, asset_key)
      where not exists (select 1 from flat_file where storage_key = asset_key)`,
    [files.map(({ key }) => key), files.map(({ key }) => variantAt(key)?.of ?? key)],
  );
  return rows.map(({ key }) => key);
}
