import { mkdirSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { JobAnswer, Platen } from '#libs/client/index.js';

/** A file of an edition, as it was written. */
export interface EditionFile {
  edition: number;
  path: string;
}

/** Of a hash, in the name of a file: runs into one folder do not overwrite each other. */
const HASH_LENGTH = 8;

/** Writes what a job has made into a folder, each file under the number and the hash of its edition. */
export async function saveEditions(client: Platen, { generations, counts }: JobAnswer, folder: string): Promise<EditionFile[]> {
  const digits = String(counts.total).length;
  const written: EditionFile[] = [];
  for (const { index, hash, assets } of generations) {
    const stem = `edition-${String(index + 1).padStart(digits, '0')}-${hash.slice(0, HASH_LENGTH)}`;
    for (const [place, { url, name }] of assets.entries()) {
      const path = join(folder, `${stem}${place > 0 ? `-${place + 1}` : ''}${extname(name)}`);
      const content = await client.download(url);
      mkdirSync(folder, { recursive: true });
      writeFileSync(path, content);
      written.push({ edition: index + 1, path });
    }
  }
  return written;
}
