import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createStorage } from '#libs/storage/index.js';
import type { Storage } from '#libs/storage/storage.js';
import { fail, ok, type Check, type Finding } from './check.js';

export const storageCheck: Check = {
  name: 'Storage',
  timeoutMs: 30_000,
  async examine({ environment }) {
    const storage = await createStorage(environment);
    try {
      return [await probe(storage, environment.STORAGE_DRIVER)];
    } finally {
      await storage.close();
    }
  },
};

/** Writes a file of its own, reads it again and removes it. */
async function probe(storage: Storage, driver: string): Promise<Finding> {
  const key = `doctor/${randomUUID()}`;
  let doing = 'written';
  try {
    await storage.put(key, Readable.from([key]), { mimeType: 'text/plain' });
    doing = 'read';
    const content = await text(await storage.open(key));
    if (content !== key) throw new Error('other bytes came back');
    doing = 'deleted';
    await storage.delete(key);
    return ok(`${driver}: a file was written, read and deleted`);
  } catch (error) {
    await storage.delete(key).catch(() => undefined);
    const advice = driver === 'local'
      ? 'Let STORAGE_PATH name a folder that this user may write to.'
      : 'See STORAGE_BUCKET and its credentials: they must allow to list, read, write and delete.';
    return fail(`${driver}: a file cannot be ${doing}: ${(error as Error).message}`, advice);
  }
}
