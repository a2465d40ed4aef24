import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { Spool } from '#libs/assets/spool.js';
import {
  THUMBNAIL_SIZE, THUMBNAIL_SIZES, variantKey, type Variant, type Variants,
} from '#libs/assets/thumbnails.js';
import { VideoError, type VideoFrames } from '#libs/sandbox/video-frames.js';
import { ObjectNotFound, type Storage } from '#libs/storage/storage.js';
import { ThumbnailProcess, UndrawableFile, type Drawing } from './thumbnail-process.js';
import type { DueFile, ThumbnailRows } from './thumbnail-rows.js';

/** Files that one sweep takes at most. */
const BATCH = 100;
const MAX_ATTEMPTS = 4;
const FIRST_RETRY_MS = 5_000;
const RETRY_FACTOR = 6;
/** Shorter than what a file is taken for. */
const TIME_LIMIT_MS = 180_000;
/** A decoder may hold all pixels of an image at once. */
const MAX_PIXELS = 64e6;
const MAX_IMAGE_BYTES = 256 * 1024 ** 2;
const MAX_POSTER_SIDE = 2_048;

const MIME_TYPES = { webp: 'image/webp', jpg: 'image/jpeg' };

/**
 * Makes the thumbnails of files, one file after another, beside the work of generations. What cannot be made is tried
 * four times within a few minutes, then given up with a reason in its row.
 */
export class ThumbnailMaker {
  private readonly process = new ThumbnailProcess();

  /** Without `frames`, videos are left to other workers. */
  constructor(
    private readonly rows: ThumbnailRows,
    private readonly storage: Storage,
    private readonly spool: Spool,
    private readonly frames: VideoFrames | null,
  ) {}

  /** Takes what is due until there is no more, or `signal` aborts. Returns how many files it has been at. */
  async sweep(signal: AbortSignal): Promise<number> {
    for (let taken = 0; taken < BATCH; taken++) {
      const file = signal.aborted ? null : await this.rows.take({ videos: this.frames !== null });
      if (!file) return taken;
      await this.attempt(file, signal);
    }
    return BATCH;
  }

  async close(): Promise<void> {
    this.process.close();
    await this.frames?.close();
  }

  private async attempt(file: DueFile, stop: AbortSignal): Promise<void> {
    try {
      // One that ends its worker each time is counted before it is tried.
      if (file.attempts > MAX_ATTEMPTS) throw new UndrawableFile('The worker stopped while it was drawn');
      const variants = await this.make(file, AbortSignal.any([stop, AbortSignal.timeout(TIME_LIMIT_MS)]));
      await this.rows.keep(file, variants, variantKey(file.storage_key, `${THUMBNAIL_SIZE}`));
    } catch (error) {
      if (stop.aborted) await this.rows.handBack(file);
      else await this.rows.fail(file, reasonOf(error), isFinal(error, file) ? null : retryMs(file));
    }
  }

  private async make(file: DueFile, signal: AbortSignal): Promise<Variants> {
    const isVideo = file.mime_type.startsWith('video/');
    const bytes = isVideo ? await this.firstFrame(file, signal) : await this.storage.open(file.storage_key, { signal });
    return this.spool.hold(bytes, { maxBytes: MAX_IMAGE_BYTES, signal }, ({ path }) =>
      this.draw(file.storage_key, path, isVideo, signal),
    );
  }

  /** Reads of the video what its first frame needs. */
  private async firstFrame({ storage_key, size }: DueFile, signal: AbortSignal): Promise<Uint8Array> {
    if (!this.frames) throw new Error('This worker decodes no videos');
    const read = async (start: number, end: number): Promise<Buffer> =>
      buffer(await this.storage.open(storage_key, { range: { start, end: end - 1 }, signal }));
    return this.frames.first({ size: Number(size), read }, { maxSide: MAX_POSTER_SIDE, signal });
  }

  private async draw(key: string, source: string, isVideo: boolean, signal: AbortSignal): Promise<Variants> {
    const pathOf = (variant: Variant) => variantKey(source, variant);
    const thumbnails = THUMBNAIL_SIZES.map((side) => ({ side, path: pathOf(`${side}`) }));
    const poster = isVideo ? pathOf('poster') : null;
    const variants: Variant[] = [...THUMBNAIL_SIZES.map((side) => `${side}` as const), ...(isVideo ? ['poster' as const] : [])];
    try {
      const drawings = await this.process.draw({ source, maxPixels: MAX_PIXELS, poster, thumbnails }, signal);
      const made: Variants = {};
      for (const variant of variants) {
        const drawing = drawings.find(({ path }) => path === pathOf(variant));
        if (drawing) made[variant] = await this.put(variantKey(key, variant), drawing, signal);
      }
      return made;
    } finally {
      await Promise.all(variants.map((variant) => rm(pathOf(variant), { force: true })));
    }
  }

  private async put(key: string, { path, width, height }: Drawing, signal: AbortSignal) {
    const bytes = await readFile(path);
    const mime_type = key.endsWith('.jpg') ? MIME_TYPES.jpg : MIME_TYPES.webp;
    await this.storage.put(key, path, { mimeType: mime_type, signal });
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { mime_type, size: bytes.length, sha256, width, height };
  }
}

const retryMs = ({ attempts }: DueFile): number => FIRST_RETRY_MS * RETRY_FACTOR ** (attempts - 1);

function isFinal(error: unknown, { attempts }: DueFile): boolean {
  if (error instanceof UndrawableFile || error instanceof ObjectNotFound) return true;
  return attempts >= MAX_ATTEMPTS || (error instanceof VideoError && error.permanent);
}

const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, 500);
