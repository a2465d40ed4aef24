import { join } from 'node:path';
import type { Environment } from '#libs/config/environment.js';
import { LocalStorage } from './local.storage.js';
import type { Storage } from './storage.js';

type StorageSettings = Pick<Environment, 'STORAGE_DRIVER' | 'STORAGE_PATH' | 'PLATEN_HOME'>;

/** Every driver: one line each. Nothing is connected or written before the first use. */
const DRIVERS: Record<string, (settings: StorageSettings) => Storage> = {
  local: ({ STORAGE_PATH, PLATEN_HOME }) => new LocalStorage(STORAGE_PATH ?? join(PLATEN_HOME, 'storage')),
};

/** The storage that the configuration names. */
export function createStorage(settings: StorageSettings): Storage {
  const create = DRIVERS[settings.STORAGE_DRIVER];
  if (!create) throw new Error(`Unknown STORAGE_DRIVER "${settings.STORAGE_DRIVER}"`);
  return create(settings);
}
