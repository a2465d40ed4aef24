import type { DataSource } from 'typeorm';
import type { Storage } from '#libs/storage/storage.js';

const PREFIX = 'platen files ';

/** Where this process keeps files; null where that is no question, or cannot be told yet (readiness tells). */
export const placeOf = (storage: Storage): Promise<string | null> => storage.place().catch(() => null);

/** Tells the processes on the same database where this one keeps files. */
export const connectionName = (place: string | null): string | undefined =>
  place === null ? undefined : PREFIX + place;

/**
 * Throws when a process that lives now works on this database with files that are not ours: images that a
 * worker makes on one machine would be missing in the API on another.
 */
export async function assertSameFiles(source: DataSource, place: string | null): Promise<void> {
  const name = connectionName(place);
  if (name === undefined) return;
  const [other] = await source.query<unknown[]>(
    `select 1 from pg_stat_activity
      where datname = current_database() and starts_with(application_name, $1) and application_name <> $2 limit 1`,
    [PREFIX, name],
  );
  if (!other) return;
  await source.destroy();
  throw new Error(
    'Another process works on this database with local files in another folder. API and workers need the same: ' +
      'share the folder (STORAGE_PATH), or keep files in a cloud (STORAGE_DRIVER=s3, azure or gcs).',
  );
}
