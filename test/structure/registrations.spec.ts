import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root } from './sources.js';

/** Files of a folder whose names match, as the import of the folder's list must name them. */
function expectedImports(folder: string, pattern: RegExp): string[] {
  return readdirSync(join(root, folder))
    .filter((name) => pattern.test(name) && !/\.(spec|contract)\.ts$/.test(name))
    .map((name) => `./${basename(name, '.ts')}.js`)
    .sort();
}

/** What the folder's `index.ts` imports, statically or when it is chosen. */
function importsOf(index: string): string[] {
  const text = readFileSync(join(root, index), 'utf8');
  return [...text.matchAll(/(?:from|import\()\s*'(\.\/[^']+)'/g)].map(([, path = '']) => path);
}

describe.each([
  { what: 'node', folder: 'libs/nodes', pattern: /\.node\.ts$/ },
  { what: 'provider', folder: 'libs/providers', pattern: /\.provider\.ts$/ },
  { what: 'storage driver', folder: 'libs/storage', pattern: /\.storage\.ts$/ },
  { what: 'event bus', folder: 'libs/events', pattern: /\.event-bus\.ts$/ },
  { what: 'check of the doctor', folder: 'src/doctor', pattern: /\.check\.ts$/ },
  { what: 'migration', folder: 'libs/database/migrations', pattern: /^\d+-.*\.ts$/ },
])('every $what', ({ folder, pattern }) => {
  it(`in ${folder} is listed in its index`, () => {
    const files = expectedImports(folder, pattern);
    expect(files.length).toBeGreaterThan(0);
    expect(importsOf(`${folder}/index.ts`)).toEqual(expect.arrayContaining(files));
  });
});

it('every folder of libs is shown in the architecture', () => {
  const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
  const folders = readdirSync(join(root, 'libs')).map((name) => `\`libs/${name}\``);
  expect(folders.filter((folder) => !text.includes(folder))).toEqual([]);
});

it('migrations are listed oldest first', () => {
  const listed = importsOf('libs/database/migrations/index.ts');
  expect(listed).toEqual([...listed].sort());
});
