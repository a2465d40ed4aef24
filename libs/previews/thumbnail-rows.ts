import type { Variants } from '#libs/assets/thumbnails.js';
import type { Database } from '#libs/database/database.js';
import { prepared } from '#libs/database/prepared.js';

/** A file whose thumbnails are to be made now. */
export interface DueFile {
  id: string;
  storage_key: string;
  mime_type: string;
  /** Bytes. */
  size: string;
  /** From 1. */
  attempts: number;
}

/**
 * What `flat_file` says of thumbnails: `thumbnail_due` is when they are to be made, or tried again. Whoever takes a
 * file has five minutes; then it is due again, whatever became of its worker.
 */
export class ThumbnailRows {
  constructor(private readonly database: Database) {}

  /** The file that was due last: who waits for a thumbnail is looking at new ones. */
  async take({ videos }: { videos: boolean }): Promise<DueFile | null> {
    const [row] = await this.database.query<DueFile>(TAKE, [videos]);
    return row ?? null;
  }

  /** They lie in storage, and are seen from now on. */
  async keep({ id }: DueFile, thumbnails: Variants, thumbnailKey: string): Promise<void> {
    await this.database.change(KEEP, [id, JSON.stringify(thumbnails), `/files/${thumbnailKey}`]);
  }

  /** They are tried again after `retryMs`; null: never. */
  async fail({ id }: DueFile, reason: string, retryMs: number | null): Promise<void> {
    await this.database.change(FAIL, [id, reason, retryMs]);
  }

  /** Nothing was tried. */
  async handBack({ id }: DueFile): Promise<void> {
    await this.database.query(
      `update flat_file set thumbnail_due = now(), thumbnail_attempts = thumbnail_attempts - 1
        where id = $1 and thumbnail_due is not null`,
      [id],
    );
  }
}

const TAKE = prepared('take_due_thumbnail', `
  update flat_file
     set thumbnail_due = now() + interval '5 minutes', thumbnail_attempts = thumbnail_attempts + 1
   where id = (
     select id from flat_file
      where thumbnail_due <= now() and deleted_at is null and ($1 or mime_type not like 'video/%')
      order by thumbnail_due desc limit 1 for update skip locked)
  returning id, storage_key, mime_type, size, thumbnail_attempts as attempts`);

/** A collection's cover is looked for when a file of it has its thumbnails, or never will. */
const KEEP = prepared('keep_thumbnails', `
  with made as (
    update flat_file
       set thumbnails = $2::jsonb, thumbnail_url = $3, thumbnail_due = null, thumbnail_error = null
     where id = $1 and deleted_at is null returning collection_id
  )
  update collection_preview p set next_at = now() from made where p.collection_id = made.collection_id`);

const FAIL = prepared('fail_thumbnails', `
  with failed as (
    update flat_file
       set thumbnail_due = now() + make_interval(secs => $3::float8 / 1000), thumbnail_error = $2
     where id = $1 returning collection_id, thumbnail_due
  )
  update collection_preview p set next_at = now()
    from failed where p.collection_id = failed.collection_id and failed.thumbnail_due is null`);
