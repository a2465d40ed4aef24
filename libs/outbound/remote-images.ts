import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { fileTypeFromBuffer } from 'file-type';
import sharp from 'sharp';
import { OutboundError } from './outbound-error.js';
import type { OutboundClient } from './outbound-client.js';
import { RecentBytes } from './recent-bytes.js';

export interface RemoteImage {
  bytes: Buffer;
  /** By the bytes, whatever the host said. */
  mimeType: string;
  /** Lower-case hexadecimal. */
  sha256: string;
}

const TYPES = new Set(['image/png', 'image/apng', 'image/jpeg', 'image/webp', 'image/gif', 'image/avif']);
const MAX_BYTES = 32 * 1024 ** 2;
/** All frames of an animation together. */
const MAX_PIXELS = 40e6;
const TOTAL_MS = 20_000;
/** The editions of a collection load the same images within moments: their host is asked once. */
const KEPT = { bytes: 64 * 1024 ** 2, ms: 60_000 };

/** Images of other hosts, for steps that take images by URL. */
export class RemoteImages {
  private readonly recent = new RecentBytes<RemoteImage>(KEPT);

  constructor(private readonly client: OutboundClient) {}

  /** What is wrong with a URL, as far as it tells by itself; null: it may be tried. */
  faultOf(url: string): string | null {
    try {
      this.client.check(url);
      return null;
    } catch (error) {
      return (error as OutboundError).message;
    }
  }

  /**
   * Loads an image and judges it by its bytes: PNG, JPEG, WebP, GIF or AVIF of 32 MiB and 40 megapixels at
   * most. Nothing is decoded. Throws OutboundError, or the signal's reason.
   */
  async load(url: string, signal?: AbortSignal): Promise<RemoteImage> {
    const known = this.recent.get(url);
    if (known) return known;
    const image = await this.judged(await this.bytesOf(url, signal));
    this.recent.set(url, image);
    return image;
  }

  private async bytesOf(url: string, signal?: AbortSignal): Promise<Buffer> {
    const { status, body } = await this.client.request(url, {
      headers: { accept: 'image/*' }, maxBytes: MAX_BYTES, totalMs: TOTAL_MS, signal,
    });
    if (status === 200) return buffer(body);
    body.destroy();
    const isTheirs = status >= 500 || status === 429 || status === 408;
    throw new OutboundError(isTheirs ? 'unreachable' : 'status', `The host answered with status ${status}`);
  }

  private async judged(bytes: Buffer): Promise<RemoteImage> {
    const mimeType = (await fileTypeFromBuffer(bytes).catch(() => undefined))?.mime ?? '';
    if (!TYPES.has(mimeType)) throw noImage();
    const header = sharp(bytes, { limitInputPixels: MAX_PIXELS }).metadata();
    const { width, height, pages = 1 } = await header.catch(() => {
      throw noImage();
    });
    if (Math.max(width * height * pages, screenOf(bytes, mimeType)) > MAX_PIXELS) throw noImage();
    return { bytes, mimeType, sha256: createHash('sha256').update(bytes).digest('hex') };
  }
}

/** Pixels of what a GIF's frames are drawn on: browsers go by it, sharp does not. */
const screenOf = (bytes: Buffer, mimeType: string): number =>
  mimeType === 'image/gif' ? bytes.readUInt16LE(6) * bytes.readUInt16LE(8) : 0;

const noImage = () =>
  new OutboundError('content', 'It is not a PNG, JPEG, WebP, GIF or AVIF image of 40 megapixels at most');
