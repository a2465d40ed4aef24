import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import sharp from 'sharp';
import { Spool } from '#libs/assets/spool.js';
import { variantKey, type Variants } from '#libs/assets/thumbnails.js';
import { LocalStorage } from '#libs/storage/local.storage.js';
import { createAsset } from '../../test/factories/asset.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { ThumbnailMaker } from './thumbnail-maker.js';
import { ThumbnailRows } from './thumbnail-rows.js';

const never = new AbortController().signal;

interface ThumbnailRow {
  thumbnails: Variants | null;
  thumbnail_url: string | null;
  thumbnail_due: Date | null;
  thumbnail_attempts: number;
  thumbnail_error: string | null;
}

describe(ThumbnailMaker.name, () => {
  let test: TestDatabase;
  let home: string;
  let storage: LocalStorage;
  let rows: ThumbnailRows;
  let maker: ThumbnailMaker;
  const userId = randomUUID();

  beforeAll(async () => {
    test = await createTestDatabase();
    rows = new ThumbnailRows(test.database);
  });
  afterAll(() => test.close());
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'platen-thumbnails-'));
    storage = new LocalStorage(join(home, 'storage'));
    maker = new ThumbnailMaker(rows, storage, new Spool(join(home, 'spool')), null);
  });
  afterEach(async () => {
    await maker.close();
    expect(await readdir(join(home, 'spool')).catch(() => [])).toEqual([]);
    await rm(home, { recursive: true });
    await test.database.query('truncate flat_file cascade');
  });

  /** A stored file whose thumbnails are due. */
  const create = async (bytes: Buffer, mimeType = 'image/png') => {
    const asset = await createAsset(test.database, { userId, mimeType, size: bytes.length });
    await storage.put(asset.storageKey, Readable.from([bytes]), { mimeType });
    await due(asset.id);
    return asset;
  };
  const due = (id: string) => test.database.query('update flat_file set thumbnail_due = now() where id = $1', [id]);
  const rowOf = async (id: string) =>
    (await test.database.query<ThumbnailRow>('select * from flat_file where id = $1', [id]))[0]!;
  const plain = (width: number, height: number, background = 'teal') =>
    sharp({ create: { width, height, channels: 3, background } });
  const small = () => plain(8, 6).png().toBuffer();
  const colourAt = async (bytes: Buffer) => [...(await sharp(bytes).removeAlpha().raw().toBuffer()).subarray(0, 3)];

  it('draws an image in three sizes beside it, upright, no larger than it is', async () => {
    const photo = await plain(800, 400).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    const { id, storageKey } = await create(photo, 'image/jpeg');
    expect(await maker.sweep(never)).toBe(1);
    const row = await rowOf(id);
    expect(row).toMatchObject({
      thumbnail_url: `/files/${storageKey}.512.webp`, thumbnail_due: null, thumbnail_error: null,
      thumbnails: { 256: { width: 128, height: 256 }, 512: { width: 256, height: 512 }, 1024: { width: 400, height: 800 } },
    });
    for (const [variant, made] of Object.entries(row.thumbnails!)) {
      const bytes = await buffer(await storage.open(variantKey(storageKey, variant as '256')));
      const { format, width, height, exif } = await sharp(bytes).metadata();
      expect(made).toEqual({
        mime_type: 'image/webp', size: bytes.length, width, height, sha256: createHash('sha256').update(bytes).digest('hex'),
      });
      expect([format, exif]).toEqual(['webp', undefined]);
    }
    expect(await maker.sweep(never)).toBe(0);
  });

  it.each(['gif', 'webp'] as const)('draws the first frame of an animated %s', async (format) => {
    const frames = await Promise.all(['red', 'blue'].map((colour) => plain(16, 16, colour).png().toBuffer()));
    const bytes = await sharp(frames, { join: { animated: true } })[format]().toBuffer();
    const { id, storageKey } = await create(bytes, `image/${format}`);
    await maker.sweep(never);
    expect((await rowOf(id)).thumbnails?.[256]).toMatchObject({ width: 16, height: 16 });
    const [red = 0, , blue = 0] = await colourAt(await buffer(await storage.open(variantKey(storageKey, '256'))));
    expect([red > 200, blue < 50]).toEqual([true, true]);
  });

  it('keeps what is transparent, and takes images of one channel and of sixteen bits', async () => {
    const clear = { create: { width: 20, height: 20, channels: 4 as const, background: '#00000000' } };
    const files = [
      await sharp(clear).png().toBuffer(),
      await plain(20, 20).greyscale().png().toBuffer(),
      await plain(20, 20, '#804020').toColourspace('rgb16').png().toBuffer(),
    ];
    const assets = [];
    for (const bytes of files) assets.push(await create(bytes));
    expect(await maker.sweep(never)).toBe(3);
    const drawn = await Promise.all(
      assets.map(async ({ storageKey }) => buffer(await storage.open(variantKey(storageKey, '256')))));
    expect((await sharp(drawn[0]).stats()).isOpaque).toBe(false);
    const [red = 0, green = 0] = await colourAt(drawn[2]!);
    expect([Math.abs(red - 0x80) < 12, Math.abs(green - 0x40) < 12]).toEqual([true, true]);
  });

  it('gives up at once what cannot be drawn, and says why', async () => {
    const cut = (await plain(64, 64).png().toBuffer()).subarray(0, 60);
    const { id } = await create(cut);
    const lost = await createAsset(test.database, { userId });
    await due(lost.id);
    await maker.sweep(never);
    for (const each of [id, lost.id]) {
      expect(await rowOf(each)).toMatchObject({
        thumbnails: null, thumbnail_url: null, thumbnail_due: null, thumbnail_attempts: 1, thumbnail_error: expect.stringMatching(/.+/),
      });
    }
  });

  it('tries four times while the storage is away, later each time, then gives up', async () => {
    const { id } = await create(await small());
    jest.spyOn(storage, 'put').mockRejectedValue(new Error('EIO'));
    const waits: Array<number | null> = [];
    for (let i = 0; i < 4; i++) {
      await due(id);
      expect(await maker.sweep(never)).toBe(1);
      const { thumbnail_due } = await rowOf(id);
      waits.push(thumbnail_due && Math.round((thumbnail_due.getTime() - Date.now()) / 1_000));
      expect(await maker.sweep(never)).toBe(0);
    }
    expect(waits.map((wait) => wait && wait > 0 && Math.ceil(wait / 10))).toEqual([1, 3, 18, null]);
    expect(await rowOf(id)).toMatchObject({ thumbnail_error: 'EIO', thumbnail_url: null });
  });

  it('does not try again what ended its worker four times', async () => {
    const { id } = await create(await small());
    await test.database.query('update flat_file set thumbnail_attempts = 4 where id = $1', [id]);
    await maker.sweep(never);
    expect(await rowOf(id)).toMatchObject({ thumbnails: null, thumbnail_due: null });
  });

  it('is no one else\'s while it is drawn, and comes back when its worker is gone', async () => {
    const { id } = await create(await small());
    const taken = await Promise.all([1, 2, 3].map(() => rows.take({ videos: true })));
    expect(taken.filter((file) => file !== null)).toMatchObject([{ id, attempts: 1 }]);
    await test.database.query(`update flat_file set thumbnail_due = thumbnail_due - interval '5 minutes'`);
    expect(await rows.take({ videos: true })).toMatchObject({ id, attempts: 2 });
  });

  it('leaves videos to workers with a browser, and what is deleted to nobody', async () => {
    await create(Buffer.from('video'), 'video/mp4');
    const { id } = await create(await small());
    await test.database.query('update flat_file set deleted_at = now() where id = $1', [id]);
    expect(await maker.sweep(never)).toBe(0);
    expect(await rows.take({ videos: true })).toMatchObject({ mime_type: 'video/mp4' });
  });

  it('hands back what it is at when its worker stops', async () => {
    const { id } = await create(await small());
    const stop = new AbortController();
    jest.spyOn(storage, 'put').mockImplementation(async () => {
      stop.abort();
      throw stop.signal.reason;
    });
    await maker.sweep(stop.signal);
    const row = await rowOf(id);
    expect(row).toMatchObject({ thumbnail_attempts: 0, thumbnail_error: null });
    expect(row.thumbnail_due!.getTime()).toBeLessThanOrEqual(Date.now());
  });

  it('draws in a process that takes only time nobody else wants, and starts another when it dies', async () => {
    const first = await create(await small());
    await maker.sweep(never);
    const [pid = 0] = drawingProcesses();
    expect(new Set(niceValuesOf(pid))).toEqual(new Set([19]));
    process.kill(pid, 'SIGKILL');
    const second = await create(await small());
    for (let i = 0; i < 2 && !(await rowOf(second.id)).thumbnails; i++) {
      await due(second.id);
      await maker.sweep(never);
    }
    for (const { id } of [first, second]) expect((await rowOf(id)).thumbnails).not.toBeNull();
  });
});

/** Children of this process that draw thumbnails. */
const drawingProcesses = (): number[] =>
  readdirSync('/proc/self/task')
    .flatMap((task) => readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' '))
    .filter((pid) => pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('thumbnail-child'))
    .map(Number);

/** Of all of its threads. What follows the name in brackets begins with the third field, the nineteenth is the nice value. */
const niceValuesOf = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`).map((task) => {
    const stat = readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  });
