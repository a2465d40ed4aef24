import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { LocalStorage } from '#libs/storage/local.storage.js';
import { createAsset } from '../../test/factories/asset.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { MissingFiles } from './missing-files.js';

const CONTENT = 'content';

describe(MissingFiles.name, () => {
  let test: TestDatabase;
  let root: string;
  let storage: LocalStorage;
  const userId = randomUUID();

  beforeAll(async () => {
    test = await createTestDatabase();
  });
  afterAll(() => test.close());
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'platen-missing-'));
    storage = new LocalStorage(root);
    await test.database.query('delete from flat_file');
  });
  afterEach(() => rm(root, { recursive: true }));

  const put = (key: string, content = CONTENT) =>
    storage.put(key, Readable.from([content]), { mimeType: 'text/plain' });
  const create = async (content: string | null = CONTENT) => {
    const { id, storageKey } = await createAsset(test.database, { userId, size: CONTENT.length });
    if (content !== null) await put(storageKey, content);
    return { id, key: storageKey };
  };
  /** Two pages: one from anywhere to the end, one from the beginning. */
  const sweep = async (missing = new MissingFiles(test.database, storage)) => {
    const pages = [await missing.sweep(), await missing.sweep()];
    return { missing: pages.flatMap((page) => page.missing), back: pages.flatMap((page) => page.back) };
  };
  const marked = async () => {
    const rows = await test.database.query<{ storage_key: string }>(
      'select storage_key from flat_file where missing_since is not null',
    );
    return rows.map((row) => row.storage_key);
  };

  it('marks rows whose file is gone or cut, once, and no others', async () => {
    const [gone, cut] = [await create(null), await create('con')];
    await create();
    const found = await sweep();
    expect(found.missing.sort()).toEqual([gone.key, cut.key].sort());
    expect((await marked()).sort()).toEqual([gone.key, cut.key].sort());
    expect(await sweep()).toEqual({ missing: [], back: [] });
  });

  it('takes the mark away when the file is back', async () => {
    const { key } = await create(null);
    await sweep();
    await put(key);
    expect(await sweep()).toEqual({ missing: [], back: [key] });
    expect(await marked()).toEqual([]);
  });

  it('marks nothing while the storage does not answer, and looks at the same rows again', async () => {
    const { key } = await create(null);
    const missing = new MissingFiles(test.database, storage);
    const stat = jest.spyOn(storage, 'stat').mockRejectedValue(new Error('The storage is away'));
    await expect(missing.sweep()).rejects.toThrow('away');
    expect(await marked()).toEqual([]);
    stat.mockRestore();
    await sweep(missing);
    expect(await marked()).toEqual([key]);
  });

  it('never removes a row, and leaves deleted ones alone', async () => {
    const [lost, deleted] = [await create(null), await create(null)];
    await test.database.query('update flat_file set deleted_at = now() where id = $1', [deleted.id]);
    await sweep();
    expect(await marked()).toEqual([lost.key]);
    expect(await test.database.query('select id from flat_file')).toHaveLength(2);
  });

  it('leaves a row alone that gets another file while it is looked at', async () => {
    const { id } = await create(null);
    const stat = jest.spyOn(storage, 'stat').mockImplementation(async () => {
      await test.database.query(`update flat_file set storage_key = 'uploads/other' where id = $1`, [id]);
      return null;
    });
    await new MissingFiles(test.database, storage).sweep();
    stat.mockRestore();
    expect(await marked()).toEqual([]);
  });

  it('goes round all rows page by page, wherever it begins', async () => {
    await test.database.query(
      `insert into flat_file (user_id, name, storage_key, size, sha256)
       select $1, 'a', 'uploads/none/' || n, 1, '' from generate_series(1, 1100) n`,
      [userId],
    );
    const missing = new MissingFiles(test.database, storage);
    for (let page = 0; page < 5; page++) await missing.sweep();
    expect(await marked()).toHaveLength(1_100);
  });
});
