import type { Database } from '#libs/database/database.js';
import type { Storage } from '#libs/storage/storage.js';
import { variantKeys } from './thumbnails.js';

/** Marks one's own shown asset as deleted: it is nowhere to be seen from now on. False when there is none. */
export async function deleteAsset(
  database: Database,
  storage: Storage,
  userId: string,
  id: string,
): Promise<boolean> {
  return database.transaction(async (tx) => {
    const marked = await tx.query(
      `with marked as (
         update flat_file set deleted_at = now()
          where id = $1 and user_id = $2 and shown and deleted_at is null returning id, collection_id
       ), preview as (
         update collection_preview p set next_at = now() from marked where p.collection_id = marked.collection_id
       )
       select id from marked`,
      [id, userId],
    );
    if (marked.length > 0) tx.afterCommit(() => sweepFile(database, storage, id));
    return marked.length > 0;
  });
}

/**
 * Removes the bytes of deleted assets and their thumbnails, then their rows; at most `limit`, the longest dead first. Those whose time of
 * deletion lies ahead are nowhere to be seen either, but keep their bytes until then. One whose
 * bytes cannot be removed now goes to the end of the queue. Returns how many are gone. Safe to run in
 * several processes at once.
 */
export async function sweepDeletedFiles(database: Database, storage: Storage, limit = 100): Promise<number> {
  const rows = await database.query<{ id: string }>(
    'select id from flat_file where deleted_at <= now() order by deleted_at limit $1',
    [limit],
  );
  let removed = 0;
  for (const { id } of rows) if (await sweepFile(database, storage, id)) removed += 1;
  return removed;
}

/** The row is locked meanwhile, so that it is neither removed before its bytes nor by two at once. */
async function sweepFile(database: Database, storage: Storage, id: string): Promise<boolean> {
  return database.transaction(async (tx) => {
    const [row] = await tx.query<{ storage_key: string; pictured: boolean; shared: boolean }>(
      `select storage_key, thumbnail_attempts > 0 as pictured, exists (
         select 1 from flat_file o
         where o.storage_key = f.storage_key and o.id <> f.id and o.deleted_at is null
       ) as shared
       from flat_file f where id = $1 and deleted_at <= now() for update skip locked`,
      [id],
    );
    if (!row) return false;
    const gone = row.shared || (await removeBytes(storage, row).then(() => true, () => false));
    await tx.query(
      gone ? 'delete from flat_file where id = $1' : 'update flat_file set deleted_at = now() where id = $1',
      [id],
    );
    return gone;
  });
}

/** The asset's own last: as long as they are there, a row names its thumbnails. */
async function removeBytes(
  storage: Storage,
  { storage_key, pictured }: { storage_key: string; pictured: boolean },
): Promise<void> {
  if (pictured) for (const key of variantKeys(storage_key)) await storage.delete(key);
  await storage.delete(storage_key);
}
