import PQueue from 'p-queue';
import sharp, { type Sharp } from 'sharp';
import { payloadTooLarge, unsupportedMediaType } from '#libs/errors/errors.js';
import { RASTER_TYPES } from './thumbnails.js';

// A spooled file's path never comes twice.
sharp.cache(false);

const MEASURABLE = new Set(RASTER_TYPES);
const REENCODE_SECONDS = 60;

interface Encoding {
  path: string;
  maxPixels: number;
  encode(image: Sharp): Sharp;
  animated?: boolean;
}

/** Decoders at once: each may hold all of an image's pixels. */
const decoders = new PQueue({ concurrency: 2 });

export interface Dimensions {
  width: number | null;
  height: number | null;
}

/**
 * Width and height as shown (turned as the file says), from the header alone. Throws `PAYLOAD_TOO_LARGE`
 * over `maxPixels`, `UNSUPPORTED_MEDIA_TYPE` when the header cannot be read.
 */
export async function measureImage(path: string, mimeType: string, maxPixels: number): Promise<Dimensions> {
  if (!MEASURABLE.has(mimeType)) return { width: null, height: null };
  try {
    const { autoOrient } = await sharp(path, { limitInputPixels: maxPixels }).metadata();
    return { width: autoOrient.width, height: autoOrient.height };
  } catch (error) {
    throw imageFault(error, maxPixels);
  }
}

/** How each accepted format is written again: what it was, turned upright, without loss one can see. */
const ENCODERS: Record<string, (image: Sharp) => Sharp> = {
  'image/png': (image) => image.png(),
  'image/apng': (image) => image.png(),
  'image/jpeg': (image) => image.jpeg({ quality: 95, chromaSubsampling: '4:4:4' }),
  'image/webp': (image) => image.webp({ quality: 95 }),
  'image/gif': (image) => image.gif(),
};

export const canReencode = (mimeType: string): boolean => mimeType in ENCODERS;

/** Whether it can become a render. */
export const canRender = (mimeType: string): boolean => MEASURABLE.has(mimeType);

/** As the JPEG of a render: its first frame, on white. */
export const toJpeg = (path: string, maxPixels: number): Encoding => ({
  path, maxPixels, encode: (image) => image.flatten({ background: 'white' }).jpeg({ quality: 92 }),
});

/**
 * Decodes an image and encodes it again, which leaves nothing but its pixels. Writes it to the file `to`, for as a
 * stream all of it would be in memory at once. Throws as `measureImage`.
 */
export function encodeImage({ path, maxPixels, encode, animated = false }: Encoding, to: string): Promise<void> {
  return decoders.add(async () => {
    const limits = { limitInputPixels: maxPixels, failOn: 'error' as const };
    const image = sharp(path, { ...limits, animated, sequentialRead: true });
    try {
      await encode(image.autoOrient().timeout({ seconds: REENCODE_SECONDS })).toFile(to);
    } catch (error) {
      throw imageFault(error, maxPixels);
    }
  });
}

/**
 * As what it was, with all its frames: no EXIF, no place, no comment, no bytes after the end. `maxPixels` counts all
 * frames. Throws as `measureImage`.
 */
export function reencodeImage(path: string, mimeType: string, maxPixels: number, to: string): Promise<void> {
  const encode = ENCODERS[mimeType];
  if (!encode) throw new Error(`No encoder of ${mimeType}`);
  const animated = mimeType === 'image/gif' || mimeType === 'image/webp';
  return encodeImage({ path, maxPixels, encode, animated }, to);
}

/** Whatever the decoder says is the file's fault; that there is no room for the result is not. */
function imageFault(error: unknown, maxPixels: number): unknown {
  if (/write error/.test(String(error))) return error;
  if (/pixel limit/.test(String(error))) {
    return payloadTooLarge(`An image may have ${maxPixels / 1e6} megapixels at most`);
  }
  return unsupportedMediaType('The image cannot be read');
}
