import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fail, ok, warn, type Check } from './check.js';

const GIB = 1024 ** 3;
const SCARCE_BYTES = 2 * GIB;
const TOO_FEW_BYTES = 200 * 1024 ** 2;

export const diskCheck: Check = {
  name: 'Disk',
  async examine({ environment, home }) {
    const folders = [home];
    if (environment.STORAGE_DRIVER === 'local') folders.push(resolve(environment.STORAGE_PATH ?? join(home, 'storage')));
    return Promise.all([...new Set(folders)].map(async (folder) => {
      const { bavail, bsize } = await statfs(existing(folder));
      return judgeDisk(folder, bavail * bsize);
    }));
  },
};

export function judgeDisk(folder: string, bytes: number) {
  const text = `${(bytes / GIB).toFixed(1)} GiB are free for ${folder}`;
  if (bytes < TOO_FEW_BYTES) return fail(text, 'Make room: files cannot be stored.');
  return bytes < SCARCE_BYTES ? warn(text, 'Make room before it is needed.') : ok(text);
}

/** The folder, or the one that it will be made in. */
function existing(folder: string): string {
  return existsSync(folder) ? folder : existing(dirname(folder));
}
