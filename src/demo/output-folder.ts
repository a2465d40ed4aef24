import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { PlatenClient } from '../client/platen-client.js';
import type { DemoGeneration, DemoJob } from './collection-run.js';
import { drawContactSheet, type SheetEdition } from './contact-sheet.js';
import { shortHash } from './edition-bars.js';

const OUTPUT = 'demo-output';

/** Writes the images and their contact sheet to `./demo-output`, and returns the paths. */
export async function saveImages(client: PlatenClient, job: DemoJob, title: string): Promise<string[]> {
  const output = resolve(OUTPUT);
  mkdirSync(output, { recursive: true });
  const files: string[] = [];
  const editions: SheetEdition[] = [];
  for (const generation of job.generations) {
    const image = await client.download(generation.assets[0]?.url ?? '');
    files.push(save(join(output, `edition-${generation.index + 1}.png`), image));
    editions.push({ image, ...captionOf(generation) });
  }
  const sheet = { title, subtitle: `${editions.length} editions of one sketch, each drawn by its hash`, editions };
  return [...files, save(join(output, 'contact-sheet.png'), await drawContactSheet(sheet))];
}

function captionOf({ index, hash, traits }: DemoGeneration) {
  const notes = traits.map(({ trait_type: name, value }) => `${name} ${String(value)}`);
  return { name: `${index + 1}   ${shortHash(hash)}`, notes };
}

function save(file: string, content: Buffer): string {
  writeFileSync(file, content);
  return file;
}
