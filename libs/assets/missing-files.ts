import PQueue from 'p-queue';
import type { Database } from '#libs/database/database.js';
import type { Storage } from '#libs/storage/storage.js';

const PAGE = 500;
/** Looks at the storage on their way at once. */
const AT_ONCE = 8;

interface NamedFile {
  id: string;
  storage_key: string;
  size: string;
  is_missing: boolean;
}

export interface MissingFilesFound {
  /** Keys that are missing from now on. */
  missing: string[];
  /** Keys whose files are there again. */
  back: string[];
}

/**
 * Finds rows whose file is gone, or shorter than it was: somebody emptied a bucket, a disk was restored from an
 * older copy. It goes round the rows page by page, from a place of its own, so that several workers share the
 * round. It only marks: a row is never removed, since what is away may come back, and then the mark goes, too.
 * While the storage cannot say what it has, nothing is marked at all, and the page is looked at again.
 */
export class MissingFiles {
  private after: string | undefined;

  constructor(
    private readonly database: Database,
    private readonly storage: Storage,
  ) {}

  /** Looks at the next page of rows. Throws when the storage does not answer. */
  async sweep(): Promise<MissingFilesFound> {
    this.after ??= await this.anywhere();
    const rows = await this.database.query<NamedFile>(
      `select id, storage_key, size, missing_since is not null as is_missing from flat_file
        where id > $1 and deleted_at is null order by id limit $2`,
      [this.after, PAGE],
    );
    const changed = await this.changed(rows);
    const found = await this.mark(changed);
    this.after = rows.length === PAGE ? rows.at(-1)?.id : '0';
    return found;
  }

  private async anywhere(): Promise<string> {
    const [row] = await this.database.query<{ id: string }>(
      'select floor(random() * coalesce(max(id), 0))::bigint as id from flat_file',
    );
    return (row as { id: string }).id;
  }

  /** Rows whose mark is not what the storage says. */
  private async changed(rows: NamedFile[]): Promise<NamedFile[]> {
    const turns = new PQueue({ concurrency: AT_ONCE });
    const looks = rows.map((row) => async () => (await isMissing(this.storage, row)) !== row.is_missing);
    const differs = await turns.addAll(looks).catch((error: unknown) => {
      turns.clear();
      throw error;
    });
    return rows.filter((_, index) => differs[index]);
  }

  /** A row that was deleted, or got another file, since it was looked at is left alone. */
  private async mark(changed: NamedFile[]): Promise<MissingFilesFound> {
    if (changed.length === 0) return { missing: [], back: [] };
    const marked = await this.database.query<{ storage_key: string; is_missing: boolean }>(
      `update flat_file f set missing_since = case when look.was_missing then null else now() end
         from unnest($1::bigint[], $2::text[], $3::boolean[]) as look (id, storage_key, was_missing)
        where f.id = look.id and f.storage_key = look.storage_key and f.deleted_at is null
          and (f.missing_since is not null) = look.was_missing
       returning f.storage_key, f.missing_since is not null as is_missing`,
      [changed.map(({ id }) => id), keysOf(changed), changed.map((row) => row.is_missing)],
    );
    return {
      missing: keysOf(marked.filter((row) => row.is_missing)),
      back: keysOf(marked.filter((row) => !row.is_missing)),
    };
  }
}

const keysOf = (rows: Array<{ storage_key: string }>): string[] => rows.map((row) => row.storage_key);

/** Whether the storage has no such file, or not all of it. Throws when it does not answer. */
export async function isMissing(
  storage: Storage,
  { storage_key, size }: Pick<NamedFile, 'storage_key' | 'size'>,
): Promise<boolean> {
  const stored = await storage.stat(storage_key);
  return stored === null || stored.size < Number(size);
}
