import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeApi, isFresh, makePackage } from '../../src/launch/client.mjs';
import { root, sourcesIn } from './sources.js';

interface Packed {
  files: Array<{ path: string }>;
}

describe('the client', () => {
  it('has the types of this very API; else `npm run client` makes them anew', () => {
    expect(isFresh(describeApi())).toBe(true);
  }, 60_000);

  it('is a package with programs and types for each of its sources, and needs nothing but what it names', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'platen-package-'));
    try {
      await makePackage(folder);
      const packed = execFileSync('npm', ['pack', '--dry-run', '--json', folder], { stdio: ['ignore', 'pipe', 'ignore'] });
      const [{ files }] = JSON.parse(packed.toString()) as [Packed];
      const sources = sourcesIn(['libs/client']);
      const names = sources.map(({ path }) => path.replace(/^.*\/(.*)\.ts$/, '$1'));
      expect(files.map(({ path }) => path).sort()).toEqual(
        [...names.flatMap((name) => [`${name}.d.ts`, `${name}.js`]), 'LICENSE', 'README.md', 'package.json'].sort(),
      );
      const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const foreign = sources.flatMap(({ imports }) => imports).filter((target) => !target.startsWith('libs/client/'));
      expect([...new Set(foreign)]).toEqual(Object.keys(dependencies));
      const { dependencies: installed } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
      expect(installed).toMatchObject(dependencies);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 120_000);
});
