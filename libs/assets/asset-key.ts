import { createHash, randomUUID } from 'node:crypto';
import { sealedKey } from '#libs/encryption/sealed-key.js';

/** The place of one asset: which output of which step of which edition. */
export interface AssetSlot {
  userId: string;
  jobId: string;
  generationId: string;
  stepId: string;
  /** Position among the step's assets. */
  index: number;
  /** The attempt's token, where images become renders: public, and JPEG. */
  render?: string;
  /** The encrypted collection that it is of. */
  encryptedFor?: string;
}

/**
 * Key of a generated file: ids and content only, so that a retry lands on itself and a row never points
 * at the bytes of another attempt.
 */
export function generatedKey(slot: AssetSlot, sha256: string, extension: string): string {
  const { userId, jobId, generationId, stepId, index, encryptedFor } = slot;
  const key = `generations/${userId}/${jobId}/${generationId}/${stepId}/${index}-${sha256.slice(0, 16)}.${extension}`;
  return encryptedFor === undefined ? key : sealedKey(encryptedFor, key);
}

const RENDERS = 'public/renders/';

/**
 * Names the images of an attempt: as unguessable as its token, which it does not tell. Another attempt's are other
 * objects, so that a worker that lost its lease overwrites nothing.
 */
export const renderIdOf = (token: string): string =>
  createHash('md5').update(token).digest('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');

/** Key of a render. */
export const renderKey = (token: string, index: number): string => `${RENDERS}${renderIdOf(token)}/${index}.jpg`;

/** The render's id in its key; null: the key is of no render. */
export const renderIn = (key: string): string | null =>
  key.startsWith(RENDERS) ? (key.slice(RENDERS.length).split('/')[0] ?? null) : null;

/** Key of an input of the v1 face. */
export const inputKey = (userId: string, extension: string): string =>
  `private/${userId}/inputs/${randomUUID()}.${extension}`;

/** Key of an uploaded file. Never the same twice: deleting one upload leaves its equals alone. */
export const uploadKey = (userId: string, extension: string): string =>
  `uploads/${userId}/${randomUUID()}.${extension}`;
