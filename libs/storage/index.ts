import { join } from 'node:path';
import type { Environment } from '#libs/config/environment.js';
import { LocalStorage } from './local.storage.js';
import type { S3Settings } from './s3-client.js';
import type { Storage } from './storage.js';

type StorageSettings = Pick<
  Environment,
  | 'STORAGE_DRIVER' | 'STORAGE_PATH' | 'PLATEN_HOME' | 'STORAGE_BUCKET'
  | 'AWS_ENDPOINT_URL_S3' | 'AWS_REGION' | 'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY' | 'AWS_SESSION_TOKEN'
>;

/**
 * Every driver: one line each. Nothing is connected or written before the first use. A cloud's library is
 * loaded only where it is used: Amazon's takes 0.3 s and 24 MiB.
 */
const DRIVERS: Record<string, (settings: StorageSettings) => Promise<Storage>> = {
  local: async (settings) => new LocalStorage(settings.STORAGE_PATH ?? join(settings.PLATEN_HOME, 'storage')),
  s3: async (settings) => new (await import('./s3.storage.js')).S3Storage(s3SettingsOf(settings)),
};

/** The storage that the configuration names. */
export async function createStorage(settings: StorageSettings): Promise<Storage> {
  const create = DRIVERS[settings.STORAGE_DRIVER];
  if (!create) throw new Error(`Unknown STORAGE_DRIVER "${settings.STORAGE_DRIVER}"`);
  return create(settings);
}

function s3SettingsOf(settings: StorageSettings): S3Settings {
  const { STORAGE_BUCKET: bucket, AWS_ENDPOINT_URL_S3: endpoint, AWS_REGION: region } = settings;
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = settings;
  if (!bucket) throw new Error('STORAGE_BUCKET must be set');
  if (!accessKeyId || !secretAccessKey) return { bucket, endpoint, region };
  const credentials = { accessKeyId, secretAccessKey, sessionToken: settings.AWS_SESSION_TOKEN };
  return { bucket, endpoint, region, credentials };
}
