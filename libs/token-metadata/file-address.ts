import { hasOpenBytes, type AssetRow } from '#libs/assets/asset-row.js';
import { recordedAsset } from '#libs/assets/asset-view.js';
import type { FileUrls } from '#libs/assets/file-urls.js';
import { mediaFileName } from './token-media.js';

/** Where a file of the token with this number is. */
export type FileAddress = (file: AssetRow, number: number) => string;

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

/** In a folder with the names that the archive gives its files. */
export const addressIn =
  (folder: string): FileAddress =>
  (file, number) => `${folder.replace(/\/+$/, '')}/${mediaFileName(number, file)}`;
