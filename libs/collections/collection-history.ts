import type { Queryable } from '#libs/database/database.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import type { CollectionSeal } from '#libs/encryption/collection-seal.js';
import { openedSet } from '#libs/encryption/sealed-set.js';
import { collectionNotFound } from '#libs/errors/errors.js';
import type { InstructionSet, JsonObject } from '#libs/instruction-set/instruction-set.js';
import { openedBorrowed, type Borrowed } from './borrowed-set.js';
import type { OwnCollection } from './locked-collection.js';

export type CollectionAction = 'created' | 'updated' | 'scheduled' | 'published' | 'archived' | 'restored';

/** An entry of a collection's audit trail on the wire. */
export interface HistoryEntry {
  id: string;
  action: CollectionAction;
  /** Where the set comes from (`origin`), what a change replaced (`before`); null where there is nothing to tell. */
  data: JsonObject | null;
  created_at: string;
}

/** JSON of one page at most, in bytes, but one entry at least: each may keep an instruction set of 1 MiB. */
const MAX_PAGE_BYTES = 4 * 1024 ** 2;

export async function recordHistory(
  db: Queryable,
  { id, userId }: OwnCollection,
  action: CollectionAction,
  data: object | null = null,
): Promise<void> {
  await db.query('insert into collection_history (collection_id, user_id, action, data) values ($1, $2, $3, $4)', [
    id, userId, action, data && JSON.stringify(data),
  ]);
}

/**
 * What became of one's own collection, newest first, before the entry `before`: `limit` entries, or fewer where
 * these are large, and `next`, the id before which the next page begins. Throws `COLLECTION_NOT_FOUND`.
 */
export async function readHistory(
  db: Queryable,
  keys: CollectionKeys,
  { id, userId }: OwnCollection,
  { limit, before }: { limit: number; before: string | null },
): Promise<{ entries: HistoryEntry[]; next: string | null }> {
  const [own] = await db.query<{ encryption_enabled: boolean }>(
    'select encryption_enabled from collection where id = $1 and user_id = $2', [id, userId],
  );
  if (!own) throw collectionNotFound();
  const seal = own.encryption_enabled ? await keys.of(id) : null;
  const rows = await db.query<HistoryRow>(PAGE, [id, before, limit + 1, MAX_PAGE_BYTES]);
  const shown = rows.filter(({ fits }) => fits).slice(0, limit);
  const next = rows.length > shown.length ? (shown.at(-1)?.id ?? null) : null;
  return { entries: shown.map((row) => entryOf(row, seal)), next };
}

interface HistoryRow extends Omit<HistoryEntry, 'created_at'> {
  created_at: Date;
  fits: boolean;
}

const entryOf = ({ id, action, data, created_at }: HistoryRow, seal: CollectionSeal | null): HistoryEntry => ({
  id, action, data: seal && data ? opened(data, seal) : data, created_at: created_at.toISOString(),
});

function opened(data: JsonObject, seal: CollectionSeal): JsonObject {
  const { before, borrowed } = data as { before?: { data?: InstructionSet }; borrowed?: Borrowed };
  return {
    ...data,
    ...(borrowed && { borrowed: openedBorrowed(seal, borrowed) }),
    ...(before && { before: { ...before, ...(before.data && { data: openedSet(seal, before.data) }) } }),
  } as unknown as JsonObject;
}

const PAGE = `
  with page as (
    select id, action, data, created_at, row_number() over newest = 1
           or sum(coalesce(octet_length(data::text), 0)) over newest <= $4::integer as fits
      from (select * from collection_history
             where collection_id = $1 and ($2::bigint is null or id < $2)
             order by id desc limit $3) entry
    window newest as (order by id desc)
  )
  select id, action, created_at, fits, case when fits then data end as data from page order by page.id desc`;
