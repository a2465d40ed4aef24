import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobAnswer, Platen } from '#libs/client/index.js';
import { folderNameOf, saveEditions } from './edition-files.js';

describe('the files of a job', () => {
  let outside: string;
  beforeEach(() => {
    outside = mkdtempSync(join(tmpdir(), 'platen-editions-'));
  });
  afterEach(() => rmSync(outside, { recursive: true }));

  const save = (generation: object) => {
    const download = jest.fn(async () => new Uint8Array([1]));
    const job = { counts: { total: 12 }, generations: [generation] } as unknown as JobAnswer;
    return saveEditions({ download } as unknown as Platen, job, join(outside, 'folder')).then((files) => ({ files, download }));
  };

  it('are called by number and hash, and may take long to come', async () => {
    const assets = [{ url: '/files/1', name: 'art.png' }, { url: '/files/2', name: 'art.webm' }];
    const { files, download } = await save({ index: 1, hash: 'ooAbCdEfGh', assets });
    expect(files).toEqual([
      { edition: 2, path: join(outside, 'folder/edition-02-ooAbCdEf.png') },
      { edition: 2, path: join(outside, 'folder/edition-02-ooAbCdEf-2.webm') },
    ]);
    expect(download).toHaveBeenCalledWith('/files/1', { timeoutMs: 600_000 });
  });

  it('lie in the folder, whatever a server calls them', async () => {
    await save({ index: '/../../x', hash: '/../../y', assets: [{ url: '/files/1', name: 'art.p/../../z\x1b\n' }] });
    expect(readdirSync(outside)).toEqual(['folder']);
    const [name] = readdirSync(join(outside, 'folder'));
    expect(name).toMatch(/^edition-[\w.-]+$/);
    expect(existsSync(join(outside, 'folder', name!))).toBe(true);
  });

  it.each([
    ['tidal-garden', 'tidal-garden'], ['Fox & Füchse 2', 'Fox - Füchse 2'], ['../../.ssh', 'ssh'], ['/etc/cron.d', 'etc-cron.d'],
    ['..', 'collection'], ['a\\..\\b', 'a-..-b'],
  ])('of %s lie in %s', (name, folder) => {
    expect(folderNameOf(name)).toBe(folder);
  });
});
