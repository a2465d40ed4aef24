/** Storage keys of files that lie encrypted: this, the collection, then what names the file within it. */
const PREFIX = 'encrypted/';
const COLLECTION = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The key of a file of an encrypted collection that would have `key` otherwise. */
export const sealedKey = (collectionId: string, key: string): string => `${PREFIX}${collectionId}/${key}`;

/** The collection whose data key a file is encrypted with; null: it is not encrypted. */
export function encryptedFor(key: string): string | null {
  if (!key.startsWith(PREFIX)) return null;
  const collectionId = key.slice(PREFIX.length).split('/')[0] ?? '';
  return COLLECTION.test(collectionId) ? collectionId : null;
}
