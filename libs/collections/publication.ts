import type { Transaction } from '#libs/database/database.js';
import { collectionNotPublishable } from '#libs/errors/errors.js';
import { recordHistory } from './collection-history.js';
import { lockCollection, type OwnCollection } from './locked-collection.js';

/**
 * Shows one's own collection to everyone, or has it shown as soon as its `publish_date` has come; one that is published
 * stays as it is. Throws `COLLECTION_NOT_FOUND`, `COLLECTION_NOT_PUBLISHABLE` without a title or a finished edition.
 */
export async function publishCollection(tx: Transaction, own: OwnCollection): Promise<void> {
  const { status } = await lockCollection(tx, own);
  if (status === 'published') return;
  const [is] = await tx.query<Readiness>(READINESS, [own.id]);
  const obstacle = obstacleOf(is as Readiness);
  if (obstacle) throw collectionNotPublishable(obstacle);
  if (is?.due) await publish(tx, own);
  else if (!is?.asked) await schedule(tx, own);
}

async function publish(tx: Transaction, own: OwnCollection): Promise<void> {
  await tx.query(`update collection set status = 'published', updated_at = now() where id = $1`, [own.id]);
  await recordHistory(tx, own, 'published');
}

async function schedule(tx: Transaction, own: OwnCollection): Promise<void> {
  await tx.query('update collection set publish_asked = true, updated_at = now() where id = $1', [own.id]);
  await recordHistory(tx, own, 'scheduled');
}

/** Hides one's own collection from everyone, or shows it again. Throws `COLLECTION_NOT_FOUND`. */
export async function archiveCollection(tx: Transaction, own: OwnCollection, archived: boolean): Promise<void> {
  const before = await lockCollection(tx, own);
  if (before.archived === archived) return;
  await tx.query('update collection set archived = $2, updated_at = now() where id = $1', [own.id, archived]);
  await recordHistory(tx, own, archived ? 'archived' : 'restored');
}

interface Readiness {
  titled: boolean;
  made: boolean;
  due: boolean;
  /** It was to be published before. */
  asked: boolean;
}

function obstacleOf({ titled, made }: Readiness): string | null {
  if (!titled) return 'The collection has no title';
  return made ? null : 'No generation of the collection has finished';
}

const READINESS = `
  select title is not null as titled,
         publish_date is null or publish_date <= now() as due,
         publish_asked as asked,
         exists (select from job j join generation g on g.job_id = j.id
                  where j.collection_id = c.id and g.status = 'completed') as made
    from collection c where id = $1`;
