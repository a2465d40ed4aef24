import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import PQueue from 'p-queue';
import type { Page, Route } from 'playwright-core';
import { VideoError, VideoFrames, type VideoBytes } from '#libs/sandbox/video-frames.js';
import { endChromium, launchChromium, type ChromiumOptions, type RunningChromium } from './chromium-launch.js';

/** `*.localhost` is a secure context, so that WebCodecs are there. */
const ORIGIN = 'http://video.localhost';
const TIME_LIMIT_MS = 60_000;
/** A first picture is a few megabytes; the index of a long video, some tens. */
const MAX_READ_BYTES = 128 * 1024 ** 2;
/** How a page tells a fault of the video from one of its own. */
const FAULT = /video: ([^\n]*)/;

const require = createRequire(import.meta.url);
const SCRIPTS: Record<string, () => string> = {
  '/mediabunny.js': () =>
    readFileSync(join(dirname(require.resolve('mediabunny')), 'mediabunny.min.cjs'), 'utf8'),
  '/first-frame.js': () => readFileSync(join(import.meta.dirname, 'page', 'first-frame.page.js'), 'utf8'),
};
const DOCUMENT = '<!doctype html><script src="/mediabunny.js"></script><script src="/first-frame.js"></script>';

/**
 * Decodes in Chromium, which has the codecs and a sandbox around them. Each video has a browser of its own, that is
 * started in a tenth of a second and keeps no memory between two.
 */
export class ChromiumVideoFrames extends VideoFrames {
  private readonly turns = new PQueue({ concurrency: 1 });
  private running?: RunningChromium;

  constructor(private readonly options: ChromiumOptions) {
    super();
  }

  async first(
    video: VideoBytes,
    { maxSide, signal }: { maxSide: number; signal: AbortSignal },
  ): Promise<Uint8Array> {
    return this.turns.add(() => this.decode(video, maxSide, signal), { signal });
  }

  async close(): Promise<void> {
    this.turns.clear();
    if (this.running) await endChromium(this.running);
    await this.turns.onIdle();
  }

  private async decode(video: VideoBytes, maxSide: number, signal: AbortSignal): Promise<Uint8Array> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TIME_LIMIT_MS)]);
    const chromium = await launchChromium(this.options);
    this.running = chromium;
    try {
      return await whileUnaborted(limit, firstFrameOf(chromium, video, maxSide));
    } catch (error) {
      signal.throwIfAborted();
      throw videoError(error);
    } finally {
      this.running = undefined;
      await endChromium(chromium);
    }
  }
}

async function firstFrameOf({ browser }: RunningChromium, video: VideoBytes, maxSide: number): Promise<Uint8Array> {
  const page = await browser.newPage();
  const site = new VideoSite(video);
  await page.route('**', (route) => site.answer(route));
  await page.goto(`${ORIGIN}/`);
  return Buffer.from(await askForFrame(page, video.size, maxSide), 'base64');
}

const askForFrame = (page: Page, size: number, maxSide: number): Promise<string> =>
  page.evaluate(
    (asked) => (globalThis as unknown as { firstFrame(of: typeof asked): Promise<string> }).firstFrame(asked),
    { size, maxSide },
  );

/** What the page can load: its scripts, and parts of the video. */
class VideoSite {
  private given = 0;

  constructor(private readonly video: VideoBytes) {}

  async answer(route: Route): Promise<void> {
    const { origin, pathname, searchParams } = new URL(route.request().url());
    if (origin !== ORIGIN) return route.abort('blockedbyclient');
    const script = SCRIPTS[pathname];
    if (script) return route.fulfill({ body: script(), contentType: 'text/javascript; charset=utf-8' });
    if (pathname === '/bytes') return this.answerBytes(route, searchParams);
    if (pathname === '/') return route.fulfill({ body: DOCUMENT, contentType: 'text/html; charset=utf-8' });
    return route.fulfill({ status: 404 });
  }

  private async answerBytes(route: Route, query: URLSearchParams): Promise<void> {
    const [start, end] = [Number(query.get('start')), Number(query.get('end'))];
    this.given += end - start;
    const isSound = start >= 0 && start < end && end <= this.video.size && this.given <= MAX_READ_BYTES;
    const bytes = isSound ? await this.video.read(start, end).catch(() => null) : null;
    if (!bytes) return route.abort('failed');
    await route.fulfill({ body: Buffer.from(bytes), contentType: 'application/octet-stream' });
  }
}

function whileUnaborted<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new Error('The video was not decoded in time'));
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    if (signal.aborted) abort();
  });
}

function videoError(error: unknown): VideoError {
  const message = error instanceof Error ? error.message : String(error);
  const fault = FAULT.exec(message)?.[1];
  if (fault) return new VideoError(`The video has no first frame: ${fault}`, true);
  return new VideoError(message.split('\n')[0] ?? '', false);
}
