import { availableParallelism } from 'node:os';
import PQueue from 'p-queue';
import { SketchError, SketchRenderer, type SketchImage, type SketchRun } from '#libs/sandbox/sketch-renderer.js';
import { captureRule } from './capture-rule.js';
import type { ChromiumOptions } from './chromium-launch.js';
import type { SketchPage } from './sketch-page.js';
import { sourceText } from './sketch-site.js';
import { WarmPages } from './warm-pages.js';

export interface ChromiumRendererOptions extends ChromiumOptions {
  /** Renders at once in the one browser. Default: one a core. */
  concurrency?: number;
}

/** Renders sketches in one warm headless Chromium, each in a fresh document and context. Starts lazily. */
export class ChromiumSketchRenderer extends SketchRenderer {
  private readonly pages: WarmPages;
  private readonly turns: PQueue;
  private readonly closing = new Set<Promise<void>>();

  constructor(options: ChromiumRendererOptions) {
    super();
    this.pages = new WarmPages(options);
    this.turns = new PQueue({ concurrency: options.concurrency ?? availableParallelism() });
  }

  /**
   * Waits for its turn, then renders. Throws SketchError, or the signal's reason when aborted. The time
   * limit counts from the moment the sketch starts. A browser that dies costs one more try.
   */
  async render(sketch: SketchRun): Promise<SketchImage> {
    sketch.signal?.throwIfAborted();
    return this.turns.add(() => this.renderTwiceAtMost(sketch), { signal: sketch.signal });
  }

  /** Ends the browser. Renders under way fail with a SketchError that is not permanent. */
  async close(): Promise<void> {
    await this.pages.close();
    await this.turns.onIdle();
    await Promise.all(this.closing);
  }

  private async renderTwiceAtMost(sketch: SketchRun): Promise<SketchImage> {
    try {
      return await this.renderOnce(sketch);
    } catch (failure) {
      if (!(failure instanceof SketchError) || failure.reason !== 'browser') throw failure;
    }
    try {
      return await this.renderOnce(sketch);
    } catch (failure) {
      const crashed = failure instanceof SketchError && failure.reason === 'browser' && (await this.pages.alive());
      if (crashed) throw new SketchError('error', `${CRASHED}: ${failure.message}`, true);
      throw failure;
    }
  }

  private async renderOnce(sketch: SketchRun): Promise<SketchImage> {
    const page = await this.pages.take(sketch).catch(browserFailed);
    try {
      sketch.signal?.throwIfAborted();
      sketch.onProgress?.(0.1);
      return await untilEnd(page, sketch);
    } finally {
      this.closeLater(page);
    }
  }

  private closeLater(page: SketchPage): void {
    const closed = page.close().finally(() => this.closing.delete(closed));
    this.closing.add(closed);
  }
}

const CRASHED = 'The sketch crashed its page, or took more than 2 GB of memory';

const browserFailed = (failure: unknown): never => {
  if (failure instanceof SketchError) throw failure;
  const message = failure instanceof Error ? failure.message : String(failure);
  throw new SketchError('browser', message.split('\n')[0] ?? '', false);
};

/** The first of: the sketch's end, its time limit, the signal, the death of its page. */
async function untilEnd(page: SketchPage, sketch: SketchRun): Promise<SketchImage> {
  const { signal, timeLimitMs } = sketch;
  let timer: NodeJS.Timeout | undefined;
  let onAbort = () => {};
  const limit = new Promise<'limit'>((resolve) => (timer = setTimeout(resolve, timeLimitMs, 'limit')));
  const aborted = new Promise<never>((_, reject) => (onAbort = () => reject(signal?.reason)));
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const ended = await Promise.race([page.run(sketch).catch(browserFailed), limit, aborted]);
    if (ended !== 'limit') return ended;
    throw new SketchError('time_limit', overdue(sketch), true, await page.rescueLogs());
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

const WAITED_FOR = {
  capture: 'it names capture() or fxpreview() and never came to call it',
  noLoop: 'it names noLoop() and never came to call it',
  firstFrame: 'its first frame did not end',
};

const overdue = (sketch: SketchRun) =>
  `The sketch did not end within ${sketch.timeLimitMs} ms: ${WAITED_FOR[captureRule(sourceText(sketch))]}`;
