import { hasOpenBytes, type AssetRow } from './asset-row.js';
import type { FileUrls } from './file-urls.js';

/** An asset on the wire: in jobs, events, lists. */
export interface AssetView {
  /** Decimal: it is a `bigint`. */
  id: string;
  url: string;
  thumbnail_url: string | null;
  name: string;
  mime_type: string;
  /** Bytes. */
  size: number;
  sha256: string;
  width: number | null;
  height: number | null;
  /** Seconds. */
  duration: number | null;
  step_id: string | null;
}

/** As recorded in events: URLs are paths, which `withUrls` makes usable when the event is read. */
export const recordedAsset = (row: AssetRow): AssetView => ({
  id: row.id,
  url: row.url ?? `/files/${row.storage_key}`,
  thumbnail_url: row.thumbnail_url,
  name: row.name,
  mime_type: row.mime_type,
  size: Number(row.size),
  sha256: row.sha256,
  width: row.width,
  height: row.height,
  duration: row.duration,
  step_id: row.step_id,
});

/** As a client gets it: open URLs for a public asset, else signed ones. Only for who may see the asset. */
export const presentAsset = (row: AssetRow, urls: FileUrls): AssetView =>
  withUrls(recordedAsset(row), urls, hasOpenBytes(row));

/** A recorded asset with URLs that work now. */
export function withUrls(asset: AssetView, urls: FileUrls, isPublic = false): AssetView {
  const link = (path: string) => (isPublic ? urls.open(path) : urls.signed(path));
  return { ...asset, url: link(asset.url), thumbnail_url: asset.thumbnail_url && link(asset.thumbnail_url) };
}
