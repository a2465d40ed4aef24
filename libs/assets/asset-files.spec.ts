import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import sharp from 'sharp';
import { AssetHandle } from '#libs/nodes/node.js';
import { LocalStorage } from '#libs/storage/local.storage.js';
import { AssetFiles } from './asset-files.js';
import { Spool } from './spool.js';

const MIB = 1024 ** 2;
const signal = new AbortController().signal;
const slot = { userId: randomUUID(), jobId: randomUUID(), generationId: randomUUID(), stepId: '7', index: 0 };

/** A real folder whose first writes fail. */
class FailingStorage extends LocalStorage {
  failures = 0;

  override async put(...put: Parameters<LocalStorage['put']>): Promise<void> {
    if (this.failures-- > 0) throw new Error('ENOSPC');
    return super.put(...put);
  }
}

describe(AssetFiles.name, () => {
  let home: string;
  let storage: FailingStorage;
  let files: AssetFiles;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'platen-files-'));
    storage = new FailingStorage(join(home, 'storage'));
    files = new AssetFiles(storage, new Spool(join(home, 'spool')), { maxBytes: MIB });
  });
  afterEach(async () => {
    expect(await readdir(join(home, 'spool')).catch(() => [])).toEqual([]);
    await rm(home, { recursive: true });
  });

  const png = () => sharp({ create: { width: 8, height: 6, channels: 3, background: 'teal' } }).png().toBuffer();
  const handleOf = (key: string, size = 5, content = 'hello') =>
    new AssetHandle({
      id: '1', storageKey: key, name: 'note.txt', mimeType: 'text/plain', size,
      sha256: createHash('sha256').update(content).digest('hex'),
    });

  it('stores a file under ids and content, judged by its bytes', async () => {
    const bytes = await png();
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const stored = await files.store(slot, { name: 'art.jpeg', bytes, mimeType: 'image/jpeg' }, signal);
    expect(stored).toEqual({
      storage_key: `generations/${slot.userId}/${slot.jobId}/${slot.generationId}/7/0-${sha256.slice(0, 16)}.png`,
      name: 'art.png', mime_type: 'image/png', size: bytes.length, sha256, width: 8, height: 6, duration: null,
    });
    expect(await storage.stat(stored.storage_key)).toEqual({ size: bytes.length });
  });

  it('takes size and length from who made the file, else the size of an image from its bytes', async () => {
    const told = { width: 640, height: 360, duration: 2.5 };
    const mp4 = Buffer.from('\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42', 'latin1');
    const video = await files.store(slot, { name: 'a.mp4', bytes: mp4, ...told }, signal);
    expect(video).toMatchObject({ mime_type: 'video/mp4', ...told });
    const image = await files.store(slot, { name: 'a.png', bytes: await png(), duration: 2.5 }, signal);
    expect(image).toMatchObject({ width: 8, height: 6, duration: 2.5 });
  });

  it('lands on itself when it is done again, and elsewhere with other bytes', async () => {
    const store = (text: string) => files.store(slot, { name: 'a.txt', bytes: Buffer.from(text) }, signal);
    const [first, again, other] = [await store('one'), await store('one'), await store('two')];
    expect(again).toEqual(first);
    expect(other.storage_key).not.toBe(first.storage_key);
  });

  it('believes what a node says of text, not what it says of bytes', async () => {
    const store = async (bytes: Buffer, mimeType: string) =>
      (await files.store(slot, { name: 'a', bytes, mimeType }, signal)).mime_type;
    expect(await store(Buffer.from('{}'), 'application/json')).toBe('application/json');
    expect(await store(Buffer.from([0xff, 0x00]), 'application/json')).toBe('application/octet-stream');
    expect(await store(Buffer.from('<svg/>'), 'image/png')).toBe('image/svg+xml');
  });

  it.each([
    ['more than the limit', Buffer.alloc(MIB + 1), 'PAYLOAD_TOO_LARGE'],
    ['a signature and no image', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), 'UNSUPPORTED_MEDIA_TYPE'],
  ])('fails for good on %s', async (_what, bytes, code) => {
    const storing = files.store(slot, { name: 'a.png', bytes }, signal);
    await expect(storing).rejects.toMatchObject({ name: 'NodeError', code, permanent: true });
  });

  it('tries three times to store, then says that it was not the node', async () => {
    storage.failures = 2;
    const produced = { name: 'a.txt', bytes: Buffer.from('hello') };
    await expect(files.store(slot, produced, signal)).resolves.toMatchObject({ size: 5 });
    storage.failures = 3;
    const failure = { code: 'STORAGE_FAILED', permanent: false };
    await expect(files.store(slot, produced, signal)).rejects.toMatchObject(failure);
  });

  it('stops between tries when it is cancelled', async () => {
    storage.failures = 3;
    const cancelled = AbortSignal.timeout(50);
    const storing = files.store(slot, { name: 'a.txt', bytes: Buffer.from('hello') }, cancelled);
    await expect(storing).rejects.toThrow(/abort|timeout/i);
    // One try, or none where the machine was too busy to begin in time.
    expect(storage.failures).toBeGreaterThanOrEqual(2);
  });

  it('reads what it stored, whole or as a stream', async () => {
    const { storage_key } = await files.store(slot, { name: 'a.txt', bytes: Buffer.from('hello') }, signal);
    expect(String(await files.read(handleOf(storage_key)))).toBe('hello');
    const chunks = await (await files.open(handleOf(storage_key))).toArray();
    expect(String(Buffer.concat(chunks))).toBe('hello');
  });

  it('tells a file that is gone from one that cannot be read now, and reads no huge one at once', async () => {
    await expect(files.read(handleOf('gone'))).rejects.toMatchObject({ code: 'ASSET_NOT_FOUND', permanent: true });
    jest.spyOn(storage, 'open').mockRejectedValue(new Error('EIO'));
    await expect(files.read(handleOf('a'))).rejects.toMatchObject({ code: 'STORAGE_FAILED', permanent: false });
    await expect(files.read(handleOf('a', 300 * MIB))).rejects.toMatchObject({ code: 'ASSET_TOO_LARGE' });
  });

  it('gives no other bytes than were stored', async () => {
    const { storage_key } = await files.store(slot, { name: 'a.txt', bytes: Buffer.from('hello') }, signal);
    const failure = { code: 'STORAGE_FAILED', permanent: false };
    await expect(files.read(handleOf(storage_key, 5, 'hullo'))).rejects.toMatchObject(failure);
  });

  it('stores a large stream without holding it in memory', async () => {
    const chunk = Buffer.alloc(MIB, 0xff);
    const before = process.memoryUsage().rss;
    let peak = 0;
    const bytes = Readable.from((function* () {
      for (let n = 0; n < 160; n++) {
        peak = Math.max(peak, process.memoryUsage().rss);
        yield chunk;
      }
    })());
    const large = new AssetFiles(storage, new Spool(join(home, 'spool')), { maxBytes: 300 * MIB });
    expect((await large.store(slot, { name: 'a.bin', bytes }, signal)).size).toBe(160 * MIB);
    expect(peak - before).toBeLessThan(64 * MIB);
  });
});
