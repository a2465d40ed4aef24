import { hasOpenBytes, type AssetRow } from '#libs/assets/asset-row.js';
import { recordedAsset } from '#libs/assets/asset-view.js';
import type { FileUrls } from '#libs/assets/file-urls.js';
import { variantAt } from '#libs/assets/thumbnails.js';
import { mediaFileName } from './token-media.js';

/** Where a file of the token with this number is; null: it is not there. */
export type FileAddress = (file: AssetRow, number: number) => string | null;

/** What works now: signed and expiring where the file is not open. */
export const currentAddress =
  (urls: FileUrls): FileAddress =>
  (file) => {
    const { url } = recordedAsset(file);
    return hasOpenBytes(file) ? urls.open(url) : urls.signed(url);
  };

/** What lasts, and works once the collection is published. */
export const publicAddress =
  (urls: FileUrls): FileAddress =>
  (file) => urls.open(recordedAsset(file).url);

/** In a folder with the names that the archive gives its files. Thumbnails are not among them. */
export const addressIn =
  (folder: string): FileAddress =>
  (file, number) => isThumbnail(file) ? null : `${folder.replace(/\/+$/, '')}/${mediaFileName(number, file)}`;

function isThumbnail({ storage_key }: AssetRow): boolean {
  const found = variantAt(storage_key);
  return found !== null && found.variant !== 'poster';
}
