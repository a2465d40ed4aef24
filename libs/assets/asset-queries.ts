import type { Queryable } from '#libs/database/database.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import { openedGenIn, openedGenOut } from '#libs/encryption/sealed-set.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { ASSET_COLUMNS, type AssetRow } from './asset-row.js';
import { fileName } from './file-name.js';
import { variantAt, variantKey, type Variant, type VariantFile } from './thumbnails.js';

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

/** A file whose bytes are asked for. */
export interface StoredAsset extends AssetRow {
  /** The storage did not have the asset's file, or not all of it, when it was last looked at. */
  is_missing: boolean;
}

/** The file at a storage key: a shown asset, or what was made of one. Whoever asks: see `maySee`. */
export async function findFileByKey(db: Queryable, key: string): Promise<StoredAsset | null> {
  const found = variantAt(key);
  const [row] = await db.query<StoredAsset & { made: VariantFile | null }>(
    `select ${ASSET_COLUMNS}, f.missing_since is not null as is_missing, f.thumbnails -> $2::text as made
       from flat_file f
      where f.storage_key = $1 and ($2::text is null or f.thumbnails ? $2::text) and ${VISIBLE} limit 1`,
    [found?.of ?? key, found?.variant],
  );
  if (!row) return null;
  return found && row.made ? variantRow(row, found.variant, row.made) : row;
}

/** What was made of an asset, as a file that whoever sees the asset may see. */
export function variantRow<Asset extends AssetRow>(asset: Asset, variant: Variant, made: VariantFile): Asset {
  const storage_key = variantKey(asset.storage_key, variant);
  return {
    ...asset,
    storage_key,
    url: `/files/${storage_key}`,
    name: fileName(asset.name, storage_key.split('.').at(-1) ?? ''),
    ...made,
    size: String(made.size),
    duration: null,
  };
}

export const maySee = (row: AssetRow, viewer: Viewer): boolean =>
  row.is_public || viewer?.userId === row.user_id || viewer?.role === 'admin';

/** What only its owner learns of an asset, unless the collection may be remixed. */
export const maySeeOrigin = (row: AssetDetail, viewer: Viewer): boolean =>
  row.remixable || viewer?.userId === row.user_id || viewer?.role === 'admin';

/** `gen_out_data` without the record of the owner's own files, unless they ask themselves. */
export function outDataFor({ user_id, gen_out_data }: AssetDetail, viewer: Viewer): JsonObject | null {
  if (gen_out_data === null || viewer?.userId === user_id || viewer?.role === 'admin') return gen_out_data;
  const { made: _made, ...open } = gen_out_data;
  return open;
}
