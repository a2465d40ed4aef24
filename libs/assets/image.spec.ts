import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Color } from 'sharp';
import { measureImage, reencodeImage } from './image.js';

describe('images', () => {
  let path: string;
  beforeAll(async () => {
    path = join(await mkdtemp(join(tmpdir(), 'platen-image-')), 'file');
  });
  afterAll(() => rm(join(path, '..'), { recursive: true }));

  const blank = (width: number, height: number, background: Color = 'teal') =>
    sharp({ create: { width, height, channels: 3, background } });
  const reencode = async (mimeType: string, maxPixels = 1e6) => {
    await reencodeImage(path, mimeType, maxPixels, `${path}-again`);
    return readFile(`${path}-again`);
  };

  it('measures an image as it is shown', async () => {
    await writeFile(path, await blank(40, 30).jpeg().withMetadata({ orientation: 6 }).toBuffer());
    expect(await measureImage(path, 'image/jpeg', 1e6)).toEqual({ width: 30, height: 40 });
  });

  it('measures only what cannot run', async () => {
    await writeFile(path, '<svg width="10" height="10"/>');
    expect(await measureImage(path, 'image/svg+xml', 1e6)).toEqual({ width: null, height: null });
  });

  it('refuses a pixel bomb by its header', async () => {
    await writeFile(path, await blank(1_001, 1_000).png().toBuffer());
    const fault = { code: 'PAYLOAD_TOO_LARGE', message: 'An image may have 1 megapixels at most' };
    await expect(measureImage(path, 'image/png', 1e6)).rejects.toMatchObject(fault);
    await expect(reencode('image/png')).rejects.toMatchObject(fault);
  });

  it('refuses a bomb of frames', async () => {
    const frame = (_: unknown, n: number) => blank(200, 200, { r: n * 8, g: 0, b: 0 }).png().toBuffer();
    const frames = await Promise.all(Array.from({ length: 30 }, frame));
    await writeFile(path, await sharp(frames, { join: { animated: true } }).gif().toBuffer());
    expect(await measureImage(path, 'image/gif', 1e6)).toEqual({ width: 200, height: 200 });
    await expect(reencode('image/gif')).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    expect((await sharp(await reencode('image/gif', 1.2e6), { animated: true }).metadata()).pages).toBe(30);
  });

  it('refuses what only begins like an image', async () => {
    const png = await blank(40, 30).png().toBuffer();
    await writeFile(path, png.subarray(0, 20));
    await expect(measureImage(path, 'image/png', 1e6)).rejects.toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE' });
    await writeFile(path, png.subarray(0, png.length - 40));
    await expect(reencode('image/png')).rejects.toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE' });
  });

  it.each(['png', 'jpeg', 'webp', 'gif'] as const)('does not blame a %s for a place that it cannot be written to', async (format) => {
    await writeFile(path, await blank(40, 30)[format]().toBuffer());
    await expect(reencodeImage(path, `image/${format}`, 1e6, `${path}/nowhere`)).rejects.toThrow('write error');
  });

  it.each(['png', 'jpeg', 'webp'] as const)('leaves of a %s nothing but its pixels', async (format) => {
    const photo = await blank(40, 30).toFormat(format).withExif({ IFD0: { Artist: 'SECRET' } }).toBuffer();
    await writeFile(path, Buffer.concat([photo, Buffer.from('<script>SECRET</script>')]));
    const clean = await reencode(`image/${format}`);
    expect(clean.includes('SECRET')).toBe(false);
    const { exif, xmp, icc, width, height } = await sharp(clean).metadata();
    expect({ exif, xmp, icc, width, height }).toEqual({ width: 40, height: 30 });
  });

  it('turns the pixels instead of keeping the note that says so', async () => {
    await writeFile(path, await blank(40, 30).jpeg().withMetadata({ orientation: 6 }).toBuffer());
    const { width, height, orientation } = await sharp(await reencode('image/jpeg')).metadata();
    expect({ width, height, orientation }).toEqual({ width: 30, height: 40, orientation: undefined });
  });

  it('keeps every pixel of a PNG', async () => {
    const noise = { type: 'gaussian', mean: 128, sigma: 50 } as const;
    const image = sharp({ create: { width: 30, height: 30, channels: 4, background: '#0000', noise } });
    const original = await image.png().toBuffer();
    await writeFile(path, original);
    const raw = (bytes: Buffer) => sharp(bytes).ensureAlpha().raw().toBuffer();
    expect(await raw(await reencode('image/png'))).toEqual(await raw(original));
  });
});
