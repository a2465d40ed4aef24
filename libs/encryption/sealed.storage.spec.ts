import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { LocalStorage } from '#libs/storage/local.storage.js';
import type { ByteRange } from '#libs/storage/storage.js';
import { describeStorage } from '#libs/storage/storage.contract.js';
import { CollectionSeal } from './collection-seal.js';
import { plainSize } from './frames.js';
import { sealedKey } from './sealed-key.js';
import { SealedStorage } from './sealed.storage.js';

const KIB = 1024;
const FRAME = 64 * KIB;
const TEXT = { mimeType: 'text/plain' };
const dataKey = randomBytes(32);
const keys = { of: async (id: string) => new CollectionSeal(dataKey, id) };
let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'platen-sealed-'));
});
afterEach(() => rm(home, { recursive: true }));

describeStorage('SealedStorage', async () => new SealedStorage(new LocalStorage(home), keys, () => 'any'));

describe(SealedStorage.name, () => {
  const collection = randomUUID();
  const key = sealedKey(collection, 'generations/a/0-b.bin');
  const sealed = () => new SealedStorage(new LocalStorage(home), keys);
  const read = async (range?: ByteRange, at = key) => buffer(await sealed().open(at, { range }));
  const stored = (at = key) => readFile(join(home, at));
  const store = async (size: number) => {
    const content = randomBytes(size);
    await sealed().put(key, Readable.from([content]), TEXT);
    return content;
  };

  it('leaves alone what belongs to no encrypted collection', async () => {
    for (const plain of ['generations/a/0-b.txt', 'encrypted/no-id/0-b.txt']) {
      await sealed().put(plain, Readable.from(['hello']), TEXT);
      expect(String(await stored(plain))).toBe('hello');
      expect(String(await read(undefined, plain))).toBe('hello');
    }
  });

  it.each([0, 1, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, 3 * FRAME + 7])('keeps %d bytes, and no piece of them shows', async (size) => {
    const content = await store(size);
    const bytes = await stored();
    const places = Array.from({ length: Math.floor(size / (8 * KIB)) }, (_, n) => n * 8 * KIB);
    expect(places.some((place) => bytes.includes(content.subarray(place, place + 16)))).toBe(false);
    expect((await read()).equals(content)).toBe(true);
    expect(plainSize(bytes.length)).toBe(size);
    expect(await sealed().stat(key)).toEqual({ size });
  });

  it('reads any range, over frames and to their edges', async () => {
    const size = 3 * FRAME;
    const content = await store(size);
    const edges = [0, 1, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME - 1, 2 * FRAME, size - 1];
    for (const start of edges) {
      for (const end of edges.filter((edge) => edge >= start)) {
        expect((await read({ start, end })).equals(content.subarray(start, end + 1))).toBe(true);
      }
    }
    expect((await read({ start: size - 2, end: size + 5 })).equals(content.subarray(size - 2))).toBe(true);
  });

  it('seals the same differently each time', async () => {
    await sealed().put(key, Readable.from(['hello']), TEXT);
    const first = await stored();
    await sealed().put(key, Readable.from(['hello']), TEXT);
    expect((await stored()).equals(first)).toBe(false);
  });

  describe('refuses bytes', () => {
    const damaged = async (change: (bytes: Buffer) => Buffer, range?: ByteRange) => {
      await store(2 * FRAME + 100);
      await writeFile(join(home, key), change(await stored()));
      await expect(read(range)).rejects.toThrow('not as it was stored');
    };
    const HEAD = 33;
    const FULL = FRAME + 16;

    it.each([0, 1, HEAD, HEAD + FULL - 1, HEAD + FULL, HEAD + 2 * FULL + 50])('that were changed at %d', (place) =>
      damaged((bytes) => {
        bytes[place]! ^= 1;
        return bytes;
      }));

    it.each([0, 10, HEAD, HEAD + 5, HEAD + FULL, HEAD + 2 * FULL, HEAD + 2 * FULL + 115])('that were cut off at %d', (place) =>
      damaged((bytes) => bytes.subarray(0, place)));

    it('of which a range was cut off at the edge of a frame', () =>
      damaged((bytes) => bytes.subarray(0, HEAD + FULL), { start: 10, end: FRAME + 10 }));

    it('whose frames were exchanged or repeated', async () => {
      const frame = (bytes: Buffer, n: number) => bytes.subarray(HEAD + n * FULL, HEAD + (n + 1) * FULL);
      await damaged((bytes) => Buffer.concat([bytes.subarray(0, HEAD), frame(bytes, 1), frame(bytes, 0), frame(bytes, 2)]));
      await damaged((bytes) => Buffer.concat([bytes.subarray(0, HEAD), frame(bytes, 0), frame(bytes, 0), frame(bytes, 2)]));
    });

    it('of another file, or of another collection', async () => {
      await store(100);
      for (const other of [sealedKey(collection, 'generations/a/0-c.bin'), sealedKey(randomUUID(), 'generations/a/0-b.bin')]) {
        await new LocalStorage(home).put(other, Readable.from([await stored()]), TEXT);
        await expect(read(undefined, other)).rejects.toThrow('not as it was stored');
      }
    });
  });

  it('stores nothing, and leaves nothing, while the key is not to be had', async () => {
    const away = new SealedStorage(new LocalStorage(home), { of: () => Promise.reject(new Error('no key')) });
    await expect(away.put(key, Readable.from(['hello']), TEXT)).rejects.toThrow('no key');
    await expect(stat(join(home, key))).rejects.toThrow('ENOENT');
    await store(10);
    await expect(away.open(key)).rejects.toThrow('no key');
  });

  it('has no URL of the bucket for what is encrypted', async () => {
    class Bucket extends LocalStorage {
      override signedUrl = async () => 'https://bucket.example/x' as never;
    }
    const storage = new SealedStorage(new Bucket(home), keys);
    expect(await storage.signedUrl('generations/a/0-b.txt', { expiresInSeconds: 1 })).toBe('https://bucket.example/x');
    expect(await storage.signedUrl(key, { expiresInSeconds: 1 })).toBeNull();
  });
});
