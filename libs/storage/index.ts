import { join } from 'node:path';
import type { Environment } from '#libs/config/environment.js';
import type { AzureSettings } from './azure-client.js';
import type { GcsSettings } from './gcs-access.js';
import { LocalStorage } from './local.storage.js';
import type { S3Settings } from './s3-client.js';
import type { Storage } from './storage.js';

type StorageSettings = Pick<
  Environment,
  | 'STORAGE_DRIVER' | 'STORAGE_PATH' | 'PLATEN_HOME' | 'STORAGE_BUCKET'
  | 'AWS_ENDPOINT_URL_S3' | 'AWS_REGION' | 'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY' | 'AWS_SESSION_TOKEN'
  | 'AZURE_STORAGE_CONNECTION_STRING' | 'AZURE_STORAGE_ACCOUNT' | 'AZURE_STORAGE_KEY'
  | 'GOOGLE_APPLICATION_CREDENTIALS' | 'STORAGE_EMULATOR_HOST'
>;

/**
 * Every driver: one line each. Nothing is connected or written before the first use. A cloud's library is
 * loaded only where it is used: Amazon's takes 0.3 s and 24 MiB.
 */
const DRIVERS: Record<string, (settings: StorageSettings) => Promise<Storage>> = {
  local: async (settings) => new LocalStorage(settings.STORAGE_PATH ?? join(settings.PLATEN_HOME, 'storage')),
  s3: async (settings) => new (await import('./s3.storage.js')).S3Storage(s3SettingsOf(settings)),
  azure: async (settings) => new (await import('./azure.storage.js')).AzureStorage(azureSettingsOf(settings)),
  gcs: async (settings) => new (await import('./gcs.storage.js')).GcsStorage(gcsSettingsOf(settings)),
};

/** The storage that the configuration names. */
export async function createStorage(settings: StorageSettings): Promise<Storage> {
  const create = DRIVERS[settings.STORAGE_DRIVER];
  if (!create) throw new Error(`Unknown STORAGE_DRIVER "${settings.STORAGE_DRIVER}"`);
  return create(settings);
}

function bucketOf({ STORAGE_BUCKET: bucket }: StorageSettings): string {
  if (!bucket) throw new Error('STORAGE_BUCKET must be set');
  return bucket;
}

function s3SettingsOf(settings: StorageSettings): S3Settings {
  const { AWS_ENDPOINT_URL_S3: endpoint, AWS_REGION: region } = settings;
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = settings;
  const place = { bucket: bucketOf(settings), endpoint, region };
  if (!accessKeyId || !secretAccessKey) return place;
  return { ...place, credentials: { accessKeyId, secretAccessKey, sessionToken: settings.AWS_SESSION_TOKEN } };
}

function azureSettingsOf(settings: StorageSettings): AzureSettings {
  const { AZURE_STORAGE_ACCOUNT: name, AZURE_STORAGE_KEY: key } = settings;
  return {
    container: bucketOf(settings),
    connectionString: settings.AZURE_STORAGE_CONNECTION_STRING,
    account: name && key ? { name, key } : undefined,
  };
}

function gcsSettingsOf(settings: StorageSettings): GcsSettings {
  const { STORAGE_EMULATOR_HOST: emulator, GOOGLE_APPLICATION_CREDENTIALS: keyFile } = settings;
  return { bucket: bucketOf(settings), emulator, keyFile };
}
