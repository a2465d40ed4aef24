import type { Transaction } from '#libs/database/database.js';
import { invalidJobStatus } from '#libs/errors/errors.js';
import { lockCollection, type OwnCollection } from './locked-collection.js';

/**
 * Removes one's own collection with its history. Its files are nowhere to be seen from now on; the sweep of deleted
 * files takes their bytes. Its jobs stay, as the record of what was paid. Throws `COLLECTION_NOT_FOUND`,
 * `INVALID_JOB_STATUS` while one of them is open: whoever submits or resumes one locks the collection as well.
 */
export async function deleteCollection(tx: Transaction, own: OwnCollection): Promise<void> {
  await lockCollection(tx, own);
  const open = await tx.query(
    `select from job where collection_id = $1 and status in ('pending', 'processing') limit 1`,
    [own.id],
  );
  if (open.length > 0) throw invalidJobStatus('A job of the collection has not ended');
  await tx.query('update flat_file set deleted_at = now() where collection_id = $1 and deleted_at is null', [own.id]);
  await tx.query('delete from collection where id = $1', [own.id]);
}
