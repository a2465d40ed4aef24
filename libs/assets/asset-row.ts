import { AssetHandle } from '#libs/nodes/node.js';
import { renderIn } from './asset-key.js';

/** A row of `flat_file` with what its presentation needs. Read with `ASSET_COLUMNS` from `flat_file f`. */
export interface AssetRow {
  id: string;
  user_id: string;
  collection_id: string | null;
  job_id: string | null;
  generation_id: string | null;
  step_id: string | null;
  index: number | null;
  name: string;
  storage_key: string;
  /** Path on this server, `/files/<key>`; null until the asset is shown. */
  url: string | null;
  thumbnail_url: string | null;
  mime_type: string;
  size: string;
  sha256: string;
  width: number | null;
  height: number | null;
  duration: number | null;
  /** Open to everyone: it belongs to a published collection that is not archived. */
  is_public: boolean;
}

/** `is_public` row by row: asked as `exists`, Postgres may first read all collections there are into a table of its own. */
export const ASSET_COLUMNS = `f.id, f.user_id, f.collection_id, f.job_id, f.generation_id, f.step_id, f.index,
  f.name, f.storage_key, f.url, f.thumbnail_url, f.mime_type, f.size, f.sha256, f.width, f.height, f.duration,
  coalesce((select c.status = 'published' and not c.archived from collection c where c.id = f.collection_id), false) as is_public`;

/** Whether its bytes are open to who knows its key: a public asset's, and a render's, whose key nobody can guess. */
export const hasOpenBytes = ({ is_public, storage_key }: AssetRow): boolean =>
  is_public || renderIn(storage_key) !== null;

/** What a node gets in place of a reference to this asset. */
export const handleOf = (row: AssetRow): AssetHandle =>
  new AssetHandle({
    id: row.id,
    storageKey: row.storage_key,
    name: row.name,
    mimeType: row.mime_type,
    size: Number(row.size),
    sha256: row.sha256,
    width: row.width ?? undefined,
    height: row.height ?? undefined,
  });
