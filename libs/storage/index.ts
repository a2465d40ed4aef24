import { join } from 'node:path';
import type { Environment } from '#libs/config/environment.js';
import { LocalStorage } from './local.storage.js';
import { S3Storage } from './s3.storage.js';
import type { Storage } from './storage.js';

type StorageSettings = Pick<
  Environment,
  | 'STORAGE_DRIVER' | 'STORAGE_PATH' | 'PLATEN_HOME' | 'STORAGE_BUCKET' | 'AWS_ENDPOINT_URL_S3' | 'AWS_REGION'
  | 'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY' | 'AWS_SESSION_TOKEN'
>;

/** Every driver: one line each. Nothing is connected or written before the first use. */
const DRIVERS: Record<string, (settings: StorageSettings) => Storage> = {
  local: ({ STORAGE_PATH, PLATEN_HOME }) => new LocalStorage(STORAGE_PATH ?? join(PLATEN_HOME, 'storage')),
  s3: (settings) => new S3Storage(s3SettingsOf(settings)),
};

/** The storage that the configuration names. */
export function createStorage(settings: StorageSettings): Storage {
  const create = DRIVERS[settings.STORAGE_DRIVER];
  if (!create) throw new Error(`Unknown STORAGE_DRIVER "${settings.STORAGE_DRIVER}"`);
  return create(settings);
}

function s3SettingsOf(settings: StorageSettings) {
  const { STORAGE_BUCKET: bucket, AWS_ENDPOINT_URL_S3: endpoint, AWS_REGION: region } = settings;
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = settings;
  if (!bucket) throw new Error('STORAGE_BUCKET must be set');
  const sessionToken = settings.AWS_SESSION_TOKEN;
  const credentials = accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey, sessionToken } : undefined;
  return { bucket, endpoint, region, credentials };
}
