import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ObjectNotFound, type ByteRange, type Storage } from './storage.js';
import { InvalidStorageKey } from './storage-key.js';

/** What every driver guarantees. A driver's spec calls this with a way to make an empty storage. */
export function describeStorage(name: string, create: () => Promise<Storage>): void {
  describe(`${name} as a storage`, () => {
    let storage: Storage;
    let spool: string;

    beforeAll(async () => {
      spool = await mkdtemp(join(tmpdir(), 'platen-contract-'));
    });
    beforeEach(async () => {
      storage = await create();
    });
    afterAll(() => rm(spool, { recursive: true }));

    const put = async (key: string, content: string | Buffer) => {
      const path = join(spool, randomUUID());
      await writeFile(path, content);
      await storage.put(key, path, { mimeType: 'text/plain' });
    };
    const read = async (key: string, range?: ByteRange) => String(await buffer(await storage.open(key, range)));

    it('gives back what was put, and its size', async () => {
      await put('generations/a/0-b.txt', 'hello');
      expect(await read('generations/a/0-b.txt')).toBe('hello');
      expect(await storage.stat('generations/a/0-b.txt')).toEqual({ size: 5 });
    });

    it('keeps an empty object', async () => {
      await put('a/empty', '');
      expect(await read('a/empty')).toBe('');
      expect(await storage.stat('a/empty')).toEqual({ size: 0 });
    });

    it('reads ranges, both ends included, up to the end of the object', async () => {
      await put('a/b', '0123456789');
      expect(await read('a/b', { start: 0, end: 0 })).toBe('0');
      expect(await read('a/b', { start: 3, end: 5 })).toBe('345');
      expect(await read('a/b', { start: 8, end: 99 })).toBe('89');
    });

    it('replaces the object when a key is put again', async () => {
      await put('a/b', 'a longer first version');
      await put('a/b', 'second');
      expect(await read('a/b')).toBe('second');
    });

    it('shows whole objects only while the same key is put many times at once', async () => {
      const versions = ['x', 'y', 'z'].map((letter) => letter.repeat(300_000));
      await put('a/b', versions[0] as string);
      const writing = Promise.all(versions.map((version) => put('a/b', version)));
      for (let n = 0; n < 20; n++) expect(versions).toContain(await read('a/b'));
      await writing;
    });

    it('knows nothing of an object that is not there', async () => {
      await put('a/b', 'content');
      for (const key of ['missing', 'a', 'a/c', 'a/b/c']) {
        expect(await storage.stat(key)).toBeNull();
        await expect(storage.open(key)).rejects.toThrow(ObjectNotFound);
      }
    });

    it('deletes, also twice', async () => {
      await put('a/b', 'content');
      await storage.delete('a/b');
      await storage.delete('a/b');
      expect(await storage.stat('a/b')).toBeNull();
    });

    it.each([
      '../x', 'a/../../x', '/etc/passwd', 'a//b', '', 'a/', '.hidden', 'a/./b', 'a\\b', 'a\0b', 'a b', 'ä',
      '%2e%2e/x',
    ])('refuses the key %j', (key) => refuses(key));
    it('refuses a key of more than 500 characters', () => refuses(`${'a/'.repeat(250)}b`));

    const refuses = async (key: string) => {
      await expect(put(key, 'content')).rejects.toThrow(InvalidStorageKey);
      await expect(storage.open(key)).rejects.toThrow(InvalidStorageKey);
      await expect(storage.stat(key)).rejects.toThrow(InvalidStorageKey);
      await expect(storage.delete(key)).rejects.toThrow(InvalidStorageKey);
    };

    it('leaves nothing behind when the source cannot be read', async () => {
      const missing = join(spool, 'missing');
      await expect(storage.put('a/b', missing, { mimeType: 'text/plain' })).rejects.toThrow();
      expect(await storage.stat('a/b')).toBeNull();
    });

    it('is ready when it can be written', async () => {
      await expect(storage.check()).resolves.toBeUndefined();
    });
  });
}
