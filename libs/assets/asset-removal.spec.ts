import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalStorage } from '#libs/storage/local.storage.js';
import { createAsset } from '../../test/factories/asset.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { variantKeys } from './thumbnails.js';
import { deleteAsset, sweepDeletedFiles } from './asset-removal.js';

describe('removal of assets', () => {
  let test: TestDatabase;
  let home: string;
  let storage: LocalStorage;
  const userId = randomUUID();

  beforeAll(async () => {
    test = await createTestDatabase();
  });
  afterAll(() => test.close());
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'platen-removal-'));
    storage = new LocalStorage(join(home, 'storage'));
  });
  afterEach(async () => {
    await test.database.query('truncate flat_file cascade');
    await rm(home, { recursive: true });
  });

  const create = async (storageKey?: string) => {
    const asset = await createAsset(test.database, { userId, storageKey });
    await writeFile(join(home, 'source'), 'content');
    await storage.put(asset.storageKey, join(home, 'source'), { mimeType: 'text/plain' });
    return asset;
  };
  const mark = (id: string) => test.database.query('update flat_file set deleted_at = now() where id = $1', [id]);
  const ids = async () => (await test.database.query('select id from flat_file order by id')).map(({ id }) => id);

  it('takes the row and its bytes at once', async () => {
    const { id, storageKey } = await create();
    expect(await deleteAsset(test.database, storage, userId, id)).toBe(true);
    expect(await storage.stat(storageKey)).toBeNull();
    expect(await ids()).toEqual([]);
    expect(await deleteAsset(test.database, storage, userId, id)).toBe(false);
  });

  it('takes thumbnails along, made or half made', async () => {
    const { id, storageKey } = await create();
    for (const key of variantKeys(storageKey)) await storage.put(key, join(home, 'source'), { mimeType: 'image/webp' });
    await test.database.query('update flat_file set thumbnail_attempts = 1 where id = $1', [id]);
    await deleteAsset(test.database, storage, userId, id);
    expect(await storage.list({ prefix: 'uploads/', limit: 10 })).toEqual([]);
  });

  it("leaves another user's alone", async () => {
    const { id, storageKey } = await create();
    expect(await deleteAsset(test.database, storage, randomUUID(), id)).toBe(false);
    expect(await storage.stat(storageKey)).not.toBeNull();
  });

  it('hides an asset although its bytes cannot be removed now, and removes them later', async () => {
    const { id, storageKey } = await create();
    const remove = jest.spyOn(storage, 'delete').mockRejectedValue(new Error('EIO'));
    expect(await deleteAsset(test.database, storage, userId, id)).toBe(true);
    expect(await sweepDeletedFiles(test.database, storage)).toBe(0);
    expect(await ids()).toEqual([id]);
    remove.mockRestore();
    expect(await sweepDeletedFiles(test.database, storage)).toBe(1);
    expect(await storage.stat(storageKey)).toBeNull();
  });

  it('keeps bytes that a living row names as well', async () => {
    const dead = await create();
    const living = await create(dead.storageKey);
    await mark(dead.id);
    expect(await sweepDeletedFiles(test.database, storage)).toBe(1);
    expect(await storage.stat(dead.storageKey)).not.toBeNull();
    expect(await ids()).toEqual([living.id]);
  });

  it('sweeps in batches, and one that cannot be removed does not block the rest', async () => {
    const assets = [await create(), await create(), await create()];
    for (const { id } of assets) await mark(id);
    const remove = storage.delete.bind(storage);
    jest.spyOn(storage, 'delete').mockImplementation(async (key) => {
      if (key === assets[0]?.storageKey) throw new Error('EIO');
      return remove(key);
    });
    expect(await sweepDeletedFiles(test.database, storage, 1)).toBe(0);
    expect(await sweepDeletedFiles(test.database, storage, 2)).toBe(2);
    expect(await ids()).toEqual([assets[0]?.id]);
  });
});
