import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Page } from 'playwright-core';
import { launchChromium } from '#libs/sandbox/chromium/chromium-launch.js';
import type { VideoRun, VideoSettings } from '#libs/sandbox/sketch-renderer.js';
import { sketchRun, testCache } from './sketch-run.js';

/** A 64 x 64 recording of `code`, or of a folder: a second and a half of WebM, ten pictures a second. */
export function videoRun(
  source: string | Record<string, string>,
  video: Partial<VideoSettings> = {},
  changes: Partial<VideoRun> = {},
): VideoRun {
  const { format: _, ...sketch } = sketchRun(source);
  return { ...sketch, video: { format: 'webm', codec: 'vp9', frames: 15, fps: 10, ...video }, ...changes };
}

export interface DecodedVideo {
  codec: string;
  /** Seconds. */
  duration: number;
  /** When each picture begins, seconds. */
  times: number[];
  /** Red, green and blue of each picture at the point asked for. */
  colors: number[][];
}

/** Plays videos in a browser of its own. */
export class VideoPlayer {
  private constructor(private readonly page: Page) {}

  static async open(): Promise<VideoPlayer> {
    const { browser } = await launchChromium({ cacheDirectory: testCache, allowUnsandboxed: false });
    const page = await browser.newPage();
    await page.route('**', (route) => route.fulfill({ body: '', contentType: 'text/html' }));
    await page.goto('http://player.localhost/');
    const bundles = dirname(createRequire(import.meta.url).resolve('mediabunny'));
    await page.addScriptTag({ content: readFileSync(join(bundles, 'mediabunny.min.cjs'), 'utf8') });
    return new VideoPlayer(page);
  }

  decode(bytes: Buffer, x: number, y: number): Promise<DecodedVideo> {
    return this.page.evaluate(decodeInPage, { text: bytes.toString('base64'), x, y });
  }

  async close(): Promise<void> {
    await this.page.context().browser()?.close();
  }
}

interface PixelReader {
  getImageData(x: number, y: number, width: number, height: number): { data: Uint8ClampedArray };
}

async function decodeInPage({ text, x, y }: { text: string; x: number; y: number }): Promise<DecodedVideo> {
  const { Input, ALL_FORMATS, BufferSource, CanvasSink } = (globalThis as unknown as {
    Mediabunny: typeof import('mediabunny');
  }).Mediabunny;
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(bytes) });
  const track = await input.getPrimaryVideoTrack();
  if (!track) throw new Error('There is no video');
  const video = { codec: String(track.codec), duration: await input.computeDuration() };
  const decoded: DecodedVideo = { ...video, times: [], colors: [] };
  for await (const { canvas, timestamp } of new CanvasSink(track).canvases()) {
    const context = canvas.getContext('2d') as unknown as PixelReader;
    decoded.times.push(timestamp);
    const [red = 0, green = 0, blue = 0] = context.getImageData(x, y, 1, 1).data;
    decoded.colors.push([red, green, blue]);
  }
  return decoded;
}
