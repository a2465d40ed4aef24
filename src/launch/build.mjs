import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, root } from './run.mjs';

const SOURCES = ['src', 'apps', 'libs'];
const SETTINGS = ['package-lock.json', 'nest-cli.json', 'tsconfig.json', 'tsconfig.build.json'];
const STAMP = join(root, 'dist/.sources');

/** Whether `dist` was made from exactly these sources. */
export function isBuilt() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === digestOfSources();
}

/** Compiles the sources to `dist`, the studio's page among them, unless that is done. */
export async function build() {
  if (isBuilt()) return;
  process.stderr.write('Building …\n');
  const digest = digestOfSources();
  // Without a stamp nobody knows what lies there, and the compiler would trust its own notes.
  if (!existsSync(STAMP)) rmSync(join(root, 'dist'), { recursive: true, force: true });
  await compile('node_modules/@nestjs/cli/bin/nest.js', 'build');
  await compile('apps/studio/build.mjs');
  writeFileSync(STAMP, digest);
}

const compile = (...args) => prepare(process.execPath, args, 'The build failed: see above.');

function digestOfSources() {
  const hash = createHash('sha256');
  for (const file of [...SETTINGS, ...SOURCES.flatMap(filesIn)]) {
    hash.update(`${file}\0`).update(readFileSync(join(root, file))).update('\0');
  }
  return hash.digest('hex');
}

function filesIn(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.spec.ts'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(root.length))
    .sort();
}
