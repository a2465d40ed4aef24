import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileUrls } from '#libs/assets/file-urls.js';
import type { ReadOptions, Storage } from '#libs/storage/storage.js';
import { createAsset, createCollection } from '../../test/factories/asset.js';
import { finishEditions } from '../../test/factories/edition.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { testKeys } from '../../test/factories/keys.js';
import { TokenArchives } from './token-archive.js';

const CHUNK = Buffer.alloc(64 * 1024);

/** Files without end, and one that never answers. */
class EndlessStorage {
  readonly opened: Readable[] = [];
  given = 0;
  isHanging = false;
  aborted = 0;

  async open(_key: string, { signal }: ReadOptions = {}): Promise<Readable> {
    if (this.isHanging) {
      return new Promise((_, reject) => {
        signal!.addEventListener('abort', () => (this.aborted++, reject(new Error('aborted'))));
      });
    }
    const file = new Readable({
      signal,
      // A file that never made anyone wait would leave nobody else a turn.
      read: () => void setImmediate(() => {
        this.given += CHUNK.length;
        file.push(CHUNK);
      }),
    });
    this.opened.push(file);
    return file;
  }
}

describe(TokenArchives, () => {
  let test: TestDatabase;
  let storage: EndlessStorage;
  let id: string;
  const urls = new FileUrls({ masterKey: 'a master key of the tests, long enough' });

  beforeAll(async () => {
    test = await createTestDatabase();
    const userId = randomUUID();
    id = await createCollection(test.database, userId);
    for (const generationId of await finishEditions(test.database, { userId, collectionId: id, traits: [[], []] })) {
      const { id: fileId } = await createAsset(test.database, { userId, collectionId: id });
      await test.database.query('update flat_file set generation_id = $2, step_id = 1, index = 0 where id = $1', [
        fileId, generationId,
      ]);
    }
  });
  beforeEach(() => {
    storage = new EndlessStorage();
  });
  afterAll(() => test.close());

  const open = () => {
    const archives = new TokenArchives(test.database, urls, storage as unknown as Storage, testKeys(test.database));
    const collection = { id, title: 'Dunes', description: null, cover_image_url: null, blockchain: null, encryption_enabled: false };
    return archives.stream(collection, {});
  };
  const untilTrue = async (holds: () => boolean) => {
    for (let i = 0; i < 100 && !holds(); i++) await sleep(20);
    return holds();
  };

  it('reads no further than it is read, one file at a time', async () => {
    const zip = await open();
    for (let i = 0; i < 10; i++) expect(zip.read() ?? (await untilTrue(() => zip.readableLength > 0))).toBeTruthy();
    await sleep(100);
    expect([storage.opened.length, storage.given < 2 * 1024 ** 2]).toEqual([1, true]);
    zip.destroy();
  });

  it('closes the file that it reads when nobody reads on', async () => {
    const zip = await open();
    zip.on('data', () => undefined);
    await untilTrue(() => storage.given > 1024 ** 2);
    zip.destroy();
    expect(await untilTrue(() => storage.opened[0]!.destroyed)).toBe(true);
  });

  it('gives up a storage that hangs when nobody waits any more', async () => {
    storage.isHanging = true;
    const zip = await open();
    zip.on('data', () => undefined);
    await sleep(100);
    zip.destroy();
    expect(await untilTrue(() => storage.aborted === 1)).toBe(true);
  });
});
