import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { guards } from './guards.js';
import { textWithout } from './tree.js';

const root = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

describe('the list of guards', () => {
  it('names each once', () => {
    expect(new Set(guards.map(({ name }) => name)).size).toBe(guards.length);
  });

  it.each(guards.map((guard) => [guard.name, guard] as const))('finds where it stands: %s', (_name, guard) => {
    expect(textWithout(guard, read(guard.file))).not.toBe(read(guard.file));
    for (const spec of guard.red) expect(existsSync(join(root, spec)) ? spec : null).toBe(spec);
  });
});

it('`npm run guards` takes a guard away and sees a test go red', async () => {
  const name = 'tokens: a distribution lets others work';
  const { stdout } = await promisify(execFile)(process.execPath, ['src/launch.mjs', 'guards', name], { cwd: root, timeout: 240_000 });
  expect(stdout).toContain(`✓ ${name}`);
  expect(stdout).toContain('1 of 1 guards are watched by a test.');
}, 250_000);
