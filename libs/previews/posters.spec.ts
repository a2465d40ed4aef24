import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import sharp from 'sharp';
import { readPlayed } from '#libs/assets/playing-time.js';
import { Spool } from '#libs/assets/spool.js';
import { variantKey, type Variants } from '#libs/assets/thumbnails.js';
import { ChromiumVideoFrames } from '#libs/sandbox/chromium/chromium-video-frames.js';
import { LocalStorage } from '#libs/storage/local.storage.js';
import { createAsset } from '../../test/factories/asset.js';
import { testCache, testRenderer } from '../../test/factories/sketch-run.js';
import { videoRun } from '../../test/factories/video.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { ThumbnailMaker } from './thumbnail-maker.js';
import { ThumbnailRows } from './thumbnail-rows.js';

/** Its first frame is red, the rest blue. */
const SKETCH = `function setup() { createCanvas(96, 64); noStroke(); }
  function draw() { background(frameCount === 1 ? color(220, 30, 30) : color(30, 30, 220)); }`;

describe('the poster of a video', () => {
  let test: TestDatabase;
  let home: string;
  let video: Buffer;
  let storage: LocalStorage;
  let maker: ThumbnailMaker;
  const never = new AbortController().signal;

  beforeAll(async () => {
    test = await createTestDatabase();
    home = await mkdtemp(join(tmpdir(), 'platen-posters-'));
    storage = new LocalStorage(join(home, 'storage'));
    const frames = new ChromiumVideoFrames({ cacheDirectory: testCache, allowUnsandboxed: false });
    maker = new ThumbnailMaker(new ThumbnailRows(test.database), storage, new Spool(join(home, 'spool')), frames);
    const renderer = testRenderer();
    video = await buffer((await renderer.record(videoRun(SKETCH, { frames: 5, fps: 10 }))).bytes);
    await renderer.close();
  });
  afterAll(async () => {
    await maker.close();
    await test.close();
    await rm(home, { recursive: true });
  });

  const make = async (bytes: Buffer) => {
    const plan = { userId: randomUUID(), mimeType: 'video/webm', size: bytes.length };
    const { id, storageKey } = await createAsset(test.database, plan);
    await storage.put(storageKey, Readable.from([bytes]), { mimeType: 'video/webm' });
    await test.database.query('update flat_file set thumbnail_due = now() where id = $1', [id]);
    await maker.sweep(never);
    const [row] = await test.database.query<{ thumbnails: Variants | null; thumbnail_error: string | null }>(
      'select thumbnails, thumbnail_error from flat_file where id = $1', [id]);
    return { ...row!, storageKey };
  };

  it('is its first frame, with thumbnails of it', async () => {
    const { thumbnails, storageKey } = await make(video);
    expect(thumbnails).toMatchObject({
      poster: { mime_type: 'image/jpeg', width: 96, height: 64 }, 512: { mime_type: 'image/webp', width: 96, height: 64 },
    });
    for (const variant of ['poster', '256'] as const) {
      const drawn = await buffer(await storage.open(variantKey(storageKey, variant)));
      const [red = 0, , blue = 0] = await sharp(drawn).raw().toBuffer();
      expect([red > 170, blue < 80]).toEqual([true, true]);
    }
  });

  it('is given up for what is no video, and says so', async () => {
    expect(await make(Buffer.from('1a45dfa3 but nothing of it'))).toMatchObject({
      thumbnails: null, thumbnail_error: 'The video has no first frame: it is of no known format',
    });
  });

  it('comes with what the file tells: how long and how large', async () => {
    const path = join(home, 'video');
    await writeFile(path, video);
    expect(await readPlayed(path, 'video/webm')).toEqual({ width: 96, height: 64, duration: expect.closeTo(0.5, 1) });
    const unknown = { width: null, height: null, duration: null };
    expect(await readPlayed(path, 'image/png')).toEqual(unknown);
    await writeFile(path, video.subarray(0, 40));
    expect(await readPlayed(path, 'video/webm')).toEqual(unknown);
  });
});
