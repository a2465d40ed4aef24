import type { Queryable } from '#libs/database/database.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import { openedGenIn, openedGenOut } from '#libs/encryption/sealed-set.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { ASSET_COLUMNS, type AssetRow } from './asset-row.js';

/** Who asks: a known caller or nobody. */
export type Viewer = { userId: string; role: 'user' | 'admin' } | undefined;

/** One asset with how it was made. */
export interface AssetDetail extends AssetRow {
  gen_in_data: JsonObject | null;
  gen_out_data: JsonObject | null;
  /** Its collection lets everyone see how it was made. */
  remixable: boolean;
  /** Its collection is encrypted. */
  encrypted: boolean;
}

const VISIBLE = 'f.shown and f.deleted_at is null';

/** The caller's shown assets, newest first; `before` is the id of the last one seen. */
export const listAssets = (
  db: Queryable,
  userId: string,
  { limit, before }: { limit: number; before: string | null },
): Promise<AssetRow[]> =>
  db.query<AssetRow>(
    `select ${ASSET_COLUMNS} from flat_file f
     where f.user_id = $1 and ${VISIBLE} and ($2::bigint is null or f.id < $2)
     order by f.id desc limit $3`,
    [userId, before, limit],
  );

/** An asset that `viewer` may see: a public one, one's own, any for an admin. */
export async function findAsset(
  db: Queryable,
  viewer: Viewer,
  id: string,
  keys: CollectionKeys,
): Promise<AssetDetail | null> {
  const [row] = await db.query<AssetDetail>(
    `select ${ASSET_COLUMNS}, f.gen_in_data, f.gen_out_data,
       coalesce(c.remixable and not c.encryption_enabled, false) as remixable,
       coalesce(c.encryption_enabled, false) as encrypted
     from flat_file f left join collection c on c.id = f.collection_id
     where f.id = $1 and ${VISIBLE}`,
    [id],
  );
  if (!row || !maySee(row, viewer)) return null;
  return row.encrypted && maySeeOrigin(row, viewer) ? opened(row, keys) : row;
}

async function opened(row: AssetDetail, keys: CollectionKeys): Promise<AssetDetail> {
  const opener = await keys.opener(row.collection_id);
  return {
    ...row,
    gen_in_data: row.gen_in_data && openedGenIn(opener, row.gen_in_data),
    gen_out_data: row.gen_out_data && openedGenOut(opener, row.gen_out_data),
  };
}

/** One's own finished assets by id, for the fields of a form that take one. Unknown ids are left out. */
export const findOwnAssets = (db: Queryable, userId: string, ids: string[]): Promise<AssetRow[]> =>
  db.query<AssetRow>(
    `select ${ASSET_COLUMNS} from flat_file f
     where f.user_id = $1 and f.id = any($2::bigint[]) and ${VISIBLE}`,
    [userId, ids],
  );

/** An asset whose bytes are asked for. */
export interface StoredAsset extends AssetRow {
  /** The storage did not have its file, or not all of it, when it was last looked at. */
  is_missing: boolean;
}

/** The shown asset at a storage key, whoever asks: see `maySee`. */
export async function findAssetByKey(db: Queryable, key: string): Promise<StoredAsset | null> {
  const [row] = await db.query<StoredAsset>(
    `select ${ASSET_COLUMNS}, f.missing_since is not null as is_missing from flat_file f where f.storage_key = $1 and ${VISIBLE} limit 1`,
    [key],
  );
  return row ?? null;
}

export const maySee = (row: AssetRow, viewer: Viewer): boolean =>
  row.is_public || viewer?.userId === row.user_id || viewer?.role === 'admin';

/** What only its owner learns of an asset, unless the collection may be remixed. */
export const maySeeOrigin = (row: AssetDetail, viewer: Viewer): boolean =>
  row.remixable || viewer?.userId === row.user_id || viewer?.role === 'admin';
