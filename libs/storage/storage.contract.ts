import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { ObjectNotFound, type ByteRange, type Storage } from './storage.js';
import { InvalidStorageKey } from './storage-key.js';

const MIB = 1024 ** 2;
const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** `count` pieces of a MiB each, of which nobody knows beforehand how many there are. */
async function* pieces(count: number, afterPiece?: (index: number) => unknown): AsyncGenerator<Buffer> {
  for (let index = 0; index < count; index++) {
    yield Buffer.alloc(MIB, index);
    afterPiece?.(index);
    await sleep(1);
  }
}

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
    afterEach(() => storage.close());
    afterAll(() => rm(spool, { recursive: true }));

    const fileOf = async (content: string | Buffer) => {
      const path = join(spool, randomUUID());
      await writeFile(path, content);
      return path;
    };
    const put = async (key: string, content: string | Buffer, signal?: AbortSignal) =>
      storage.put(key, await fileOf(content), { mimeType: 'text/plain', signal });
    const bytesOf = async (key: string, range?: ByteRange) => buffer(await storage.open(key, { range }));
    const read = async (key: string, range?: ByteRange) => String(await bytesOf(key, range));

    describe('put and open', () => {
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

      it('keeps a file of many megabytes as it is', async () => {
        const content = randomBytes(13 * MIB + 7);
        await put('a/large', content);
        expect(digest(await bytesOf('a/large'))).toBe(digest(content));
        expect(await bytesOf('a/large', { start: 6 * MIB - 1, end: 6 * MIB + 1 })).toEqual(
          content.subarray(6 * MIB - 1, 6 * MIB + 2),
        );
      });

      it.each([0, 3, 12])('takes a stream of a length that nobody knows: %d MiB', async (count) => {
        await storage.put('a/stream', Readable.from(pieces(count)), { mimeType: 'text/plain' });
        const expected = await buffer(Readable.from(pieces(count)));
        expect(digest(await bytesOf('a/stream'))).toBe(digest(expected));
      });

      it('reads ranges, both ends included, up to the end of the object', async () => {
        await put('a/b', '0123456789');
        expect(await read('a/b', { start: 0, end: 0 })).toBe('0');
        expect(await read('a/b', { start: 3, end: 5 })).toBe('345');
        expect(await read('a/b', { start: 8, end: 99 })).toBe('89');
        expect(await read('a/b', { start: 10, end: 99 })).toBe('');
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

      it('keeps many objects apart that are put at once', async () => {
        const keys = Array.from({ length: 30 }, (_, index) => `many/${index}`);
        await Promise.all(keys.map((key) => put(key, `content of ${key}`)));
        for (const key of keys) expect(await read(key)).toBe(`content of ${key}`);
      });
    });

    describe('what is not there', () => {
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
        await expect(storage.open('a/b')).rejects.toThrow(ObjectNotFound);
      });

      it('leaves nothing behind when the source cannot be read', async () => {
        const missing = join(spool, 'missing');
        await expect(storage.put('a/b', missing, { mimeType: 'text/plain' })).rejects.toThrow();
        expect(await storage.stat('a/b')).toBeNull();
      });

      it('leaves nothing behind when a stream fails in the middle, and what was there stays', async () => {
        const failing = () => Readable.from(pieces(12, (index) => {
          if (index === 8) throw new Error('the source is gone');
        }));
        const putting = () => storage.put('a/b', failing(), { mimeType: 'text/plain' });
        await expect(putting()).rejects.toThrow('the source is gone');
        expect(await storage.stat('a/b')).toBeNull();
        await put('a/b', 'before');
        await expect(putting()).rejects.toThrow('the source is gone');
        expect(await read('a/b')).toBe('before');
      });
    });

    describe('an abort', () => {
      it('ends a put at once, and nothing of it is ever seen', async () => {
        const abort = new AbortController();
        const cancel = (index: number) => index === 8 && abort.abort(new Error('cancelled'));
        const endless = Readable.from(pieces(1_000, cancel));
        const putting = storage.put('a/b', endless, { mimeType: 'text/plain', signal: abort.signal });
        await expect(putting).rejects.toThrow('cancelled');
        expect(endless.destroyed).toBe(true);
        expect(await storage.stat('a/b')).toBeNull();
      });

      it('before a put keeps it from beginning', async () => {
        const cancelled = AbortSignal.abort(new Error('cancelled'));
        await expect(put('a/b', 'content', cancelled)).rejects.toThrow('cancelled');
        expect(await storage.stat('a/b')).toBeNull();
      });

      it('ends a read', async () => {
        await put('a/b', randomBytes(8 * MIB));
        const abort = new AbortController();
        const bytes = await storage.open('a/b', { signal: abort.signal });
        await bytes[Symbol.asyncIterator]().next();
        abort.abort();
        await expect(buffer(bytes)).rejects.toThrow();
      });
    });

    it('takes a reader that goes away in the middle, or never begins', async () => {
      await put('a/b', randomBytes(8 * MIB));
      const [left, unread] = [await storage.open('a/b'), await storage.open('a/b')];
      await left[Symbol.asyncIterator]().next();
      left.destroy();
      unread.destroy();
      expect((await bytesOf('a/b')).length).toBe(8 * MIB);
    });

    describe('keys', () => {
      it.each(['A-b_c.d', '0', `${'k'.repeat(199)}/${'k'.repeat(200)}`, '_/-/a..b', 'a/object.md5'])(
        'take %j',
        async (key) => {
          await put(key, key);
          expect(await read(key)).toBe(key);
          expect(await storage.list({ prefix: key, limit: 2 })).toMatchObject([{ key }]);
        },
      );

      it.each([
        '../x', 'a/../../x', '/etc/passwd', 'a//b', '', 'a/', '.hidden', 'a/./b', 'a\\b', 'a\0b', 'a b', 'ä',
        '%2e%2e/x',
      ])('refuse %j', (key) => refuses(key));
      it('refuse more than 500 characters', () => refuses(`${'a/'.repeat(250)}b`));

      const refuses = async (key: string) => {
        await expect(put(key, 'content')).rejects.toThrow(InvalidStorageKey);
        await expect(storage.open(key)).rejects.toThrow(InvalidStorageKey);
        await expect(storage.stat(key)).rejects.toThrow(InvalidStorageKey);
        await expect(storage.delete(key)).rejects.toThrow(InvalidStorageKey);
      };
    });

    describe('a list', () => {
      const KEYS = ['a/1', 'a/2/x', 'a/2/y', 'a/3', 'b/1', 'b-1'];
      const list = async (prefix: string, limit: number, after?: string) =>
        (await storage.list({ prefix, limit, after })).map(({ key }) => key);

      beforeEach(async () => {
        for (const key of KEYS) await put(key, key);
      });

      it('gives the objects below a prefix with size and time', async () => {
        const listed = await storage.list({ prefix: 'b/', limit: 10 });
        expect(listed).toMatchObject([{ key: 'b/1', size: 3 }]);
        expect(Math.abs(Date.now() - Number(listed[0]?.modifiedAt))).toBeLessThan(60_000);
      });

      it('comes page by page, in the order of the keys', async () => {
        expect(await list('a/', 2)).toEqual(['a/1', 'a/2/x']);
        expect(await list('a/', 2, 'a/2/x')).toEqual(['a/2/y', 'a/3']);
        expect(await list('a/', 2, 'a/3')).toEqual([]);
        expect(await list('a/2', 10)).toEqual(['a/2/x', 'a/2/y']);
        expect(await list('', 10)).toEqual([...KEYS].sort());
      });

      it('is empty where nothing is', async () => {
        expect(await list('c/', 10)).toEqual([]);
      });
    });

    it('tells where its objects lie, the same each time', async () => {
      const [place, ...again] = await Promise.all([storage.place(), storage.place(), storage.place()]);
      expect(again).toEqual([place, place]);
      expect(await storage.list({ prefix: '', limit: 10 })).toEqual([]);
    });

    it('is ready when it can be written, as often as one asks', async () => {
      for (let n = 0; n < 3; n++) await expect(storage.check()).resolves.toBeUndefined();
      expect(await storage.list({ prefix: '', limit: 10 })).toEqual([]);
    });

    it('gives a signed URL that opens the object until it expires, where it has a server', async () => {
      await put('a/b', 'content');
      const headers = { contentType: 'image/png', contentDisposition: 'attachment; filename="b.png"' };
      const url = await storage.signedUrl('a/b', { expiresInSeconds: 2, ...headers });
      if (url === null) return;
      const answer = await fetch(url);
      expect([answer.status, await answer.text()]).toEqual([200, 'content']);
      expect(answer.headers.get('content-type')).toContain('image/png');
      expect(answer.headers.get('content-disposition')).toBe('attachment; filename="b.png"');
      const bytes = await fetch(url, { headers: { range: 'bytes=3-' } });
      expect([bytes.status, await bytes.text()]).toEqual([206, 'tent']);
      expect((await fetch(url.replace('a/b', 'a/c'))).status).toBe(403);
      await sleep(3_100);
      expect((await fetch(url)).status).toBe(403);
    });
  });
}
