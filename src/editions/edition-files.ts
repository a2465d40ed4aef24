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

/** Large files come over thin lines, too. */
const FILE_TIMEOUT_MS = 600_000;
const NO_NAME = 'collection';

/** A folder for what is called so: in this one, whatever a name leads to. */
export const folderNameOf = (name: string): string => fileNameOf(name).replace(/^[.\- ]+/, '') || NO_NAME;

/** Writes what a job has made into a folder, each file under the number and the hash of its edition. */
export async function saveEditions(client: Platen, { generations, counts }: JobAnswer, folder: string): Promise<EditionFile[]> {
  const digits = String(counts.total).length;
  const written: EditionFile[] = [];
  for (const { index, hash, assets } of generations) {
    const stem = `edition-${String(index + 1).padStart(digits, '0')}-${hash.slice(0, HASH_LENGTH)}`;
    for (const [place, { url, name }] of assets.entries()) {
      const path = join(folder, fileNameOf(`${stem}${place > 0 ? `-${place + 1}` : ''}${extname(name)}`));
      const content = await client.download(url, { timeoutMs: FILE_TIMEOUT_MS });
      mkdirSync(folder, { recursive: true });
      writeFileSync(path, content);
      written.push({ edition: index + 1, path });
    }
  }
  return written;
}

/** Without what separates folders, and what a shell or a terminal would not take as it is. */
const fileNameOf = (text: string): string => text.replaceAll(/[^\p{L}\p{N}._ -]+/gu, '-');
