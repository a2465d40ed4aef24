import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { drawContactSheet, type Sheet, type SheetEdition } from './contact-sheet.js';

/** A picture with its caption. */
export interface Picture extends SheetEdition {
  /** Its name in the folder. */
  file: string;
}

const OUTPUT = 'demo-output';

/** Writes the pictures and their contact sheet to `./demo-output`, and returns the paths. */
export async function savePictures({ title, subtitle }: Omit<Sheet, 'editions'>, pictures: Picture[]): Promise<string[]> {
  const output = resolve(OUTPUT);
  mkdirSync(output, { recursive: true });
  const files = pictures.map(({ file, image }) => save(join(output, file), image));
  const sheet = await drawContactSheet({ title, subtitle, editions: pictures });
  return [...files, save(join(output, 'contact-sheet.png'), sheet)];
}

function save(file: string, content: Buffer): string {
  writeFileSync(file, content);
  return file;
}
