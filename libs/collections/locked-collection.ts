import type { Transaction } from '#libs/database/database.js';
import { collectionNotFound } from '#libs/errors/errors.js';
import type { CollectionRow } from './collection.js';

/** Whose collection it has to be. */
export interface OwnCollection {
  id: string;
  userId: string;
}

/** One's own collection, which nobody else changes until the transaction ends. Throws `COLLECTION_NOT_FOUND`. */
export async function lockCollection(tx: Transaction, { id, userId }: OwnCollection): Promise<CollectionRow> {
  const [row] = await tx.query<CollectionRow>(
    'select * from collection where id = $1 and user_id = $2 for update',
    [id, userId],
  );
  if (!row) throw collectionNotFound();
  return row;
}
