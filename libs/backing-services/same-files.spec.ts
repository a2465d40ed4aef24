import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { createDataSource } from '#libs/database/data-source.js';
import { LocalStorage } from '#libs/storage/local.storage.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { eventually } from '../../test/setup/eventually.js';
import { assertSameFiles, connectionName, placeOf } from './same-files.js';

describe('processes with local files on one database', () => {
  let test: TestDatabase;
  let home: string;
  let started: DataSource[];

  beforeEach(async () => {
    test = await createTestDatabase();
    home = await mkdtemp(join(tmpdir(), 'platen-same-'));
    started = [];
  });
  afterEach(async () => {
    for (const source of started) if (source.isInitialized) await source.destroy();
    await test.close();
    await rm(home, { recursive: true });
  });

  /** As a process does it. */
  const start = async (folder: string, url = test.url): Promise<DataSource> => {
    const place = await placeOf(new LocalStorage(join(home, folder)));
    const source = await createDataSource({ url, poolSize: 4, name: connectionName(place) }).initialize();
    started.push(source);
    await assertSameFiles(source, place);
    return source;
  };

  it('start in any number with the same folder', async () => {
    for (let n = 0; n < 3; n++) await start('shared');
  });

  it('do not start with another folder, as on another machine, until the others are gone', async () => {
    const first = await start('here');
    await expect(start('there')).rejects.toThrow('STORAGE_DRIVER=s3');
    await start('here');
    await Promise.all(started.map((source) => source.isInitialized && source.destroy()));
    expect(first.isInitialized).toBe(false);
    await eventually(() => start('there'));
  });

  it('are no matter of each other on different databases', async () => {
    const other = await createTestDatabase();
    try {
      await start('here');
      await (await start('there', other.url)).destroy();
    } finally {
      await other.close();
    }
  });
});
