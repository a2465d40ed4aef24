import type { Database, Transaction } from '#libs/database/database.js';
import { variantKey } from '#libs/assets/thumbnails.js';
import { editionIds } from '#libs/token-metadata/ranked-editions.js';
import { mediaOf, pictureOf, type MediaFile } from '#libs/token-metadata/token-media.js';

/** Collections of one call at most. */
const BATCH = 50;
/** What a preview shows. */
const EDITIONS = 4;

/**
 * Chooses cover and images of the collections whose files have got their thumbnails since: the picture of the first
 * edition, and thumbnails of the first four. A collection with an open job waits for its end. Safe to call at any time
 * and from any number of processes. Returns the ids of the collections that it looked at.
 */
export async function choosePreviews(database: Database): Promise<string[]> {
  const due = await database.query<{ id: string }>(
    `select p.collection_id as id from collection_preview p
      where p.next_at <= now() and not exists (
        select from job j where j.collection_id = p.collection_id and j.status in ('pending', 'processing'))
      order by p.next_at limit $1`,
    [BATCH],
  );
  for (const { id } of due) await database.transaction((tx) => choose(tx, id));
  return due.map(({ id }) => id);
}

async function choose(tx: Transaction, id: string): Promise<void> {
  const mine = await tx.query(
    'select from collection_preview where collection_id = $1 and next_at <= now() for update skip locked',
    [id],
  );
  if (mine.length === 0) return;
  const editions = await editionIds(tx, id, EDITIONS);
  const media = await mediaOf(tx, editions);
  const pictures = editions.map((edition) => pictureOf(media(edition))).filter((picture) => picture !== null);
  // One that is still to be drawn will be a reason to look again.
  if (pictures[0]?.thumbnail_pending) await tx.query(DONE, [id]);
  else await tx.query(SHOW, [id, coverOf(pictures), JSON.stringify(thumbnailsOf(pictures))]);
}

/** A picture without thumbnails could not be drawn, or is not to be: then it stands for itself. */
function coverOf([first]: MediaFile[]): string | null {
  if (!first) return null;
  return first.thumbnails ? `/files/${variantKey(first.storage_key, '1024')}` : first.url;
}

const thumbnailsOf = (pictures: MediaFile[]): string[] =>
  pictures.map(({ thumbnail_url }) => thumbnail_url).filter((url) => url !== null);

const DONE = 'update collection_preview set next_at = null where collection_id = $1';

const SHOW = `
  update collection_preview set cover_image_url = $2, images = $3, updated_at = now(), next_at = null
   where collection_id = $1`;
