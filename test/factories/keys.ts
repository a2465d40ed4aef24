import type { Queryable } from '#libs/database/database.js';
import { CollectionKeys } from '#libs/encryption/collection-keys.js';
import { LocalKeyManagement } from '#libs/encryption/local.key-management.js';
import { Seal } from '#libs/encryption/seal.js';

const MASTER_KEY = 'the master key of the tests, long enough';

/** The keys of a test's encrypted collections. */
export const testKeys = (database: Queryable): CollectionKeys =>
  new CollectionKeys(database, new LocalKeyManagement([MASTER_KEY]));

/** `newer`: master keys that came after. */
export const testSeal = (purpose: string, ...newer: string[]): Seal => new Seal([...newer, MASTER_KEY], purpose);
