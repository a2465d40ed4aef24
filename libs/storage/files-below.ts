import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ListedObject } from './storage.js';

interface Place {
  prefix: string;
  after: string;
}

/**
 * The files below `root` whose key, their path from there, begins with `prefix` and comes after `after`, in
 * the order of the keys. Hidden ones are left out, links are not followed, what vanishes meanwhile is none.
 */
export async function* filesBelow(root: string, place: Place, folder = ''): AsyncGenerator<ListedObject> {
  for (const name of await namesIn(join(root, folder))) {
    const key = folder + name;
    if (!leadsTo(key, place)) continue;
    if (name.endsWith('/')) yield* filesBelow(root, place, key);
    else {
      const entry = await lstat(join(root, key)).catch(() => null);
      if (entry) yield { key, size: entry.size, modifiedAt: entry.mtime };
    }
  }
}

/** Whether a file is asked for, or a folder, whose key ends with a slash, may hold one that is. */
function leadsTo(key: string, { prefix, after }: Place): boolean {
  if (!key.endsWith('/')) return key.startsWith(prefix) && key > after;
  const meets = key.startsWith(prefix) || prefix.startsWith(key);
  return meets && (key > after || after.startsWith(key));
}

/** Folders with their slash, which is what orders them among the keys. */
async function namesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((): Dirent[] => []);
  return entries
    .filter((entry) => !entry.name.startsWith('.') && (entry.isFile() || entry.isDirectory()))
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .sort((a, b) => (a < b ? -1 : 1));
}
