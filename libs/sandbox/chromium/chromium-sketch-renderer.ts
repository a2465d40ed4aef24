import { availableParallelism } from 'node:os';
import PQueue from 'p-queue';
import {
  SketchRenderer, type SketchImage, type SketchRun, type SketchVideo, type VideoRun,
} from '#libs/sandbox/sketch-renderer.js';
import { captureRule } from './capture-rule.js';
import type { ChromiumOptions } from './chromium-launch.js';
import { browserFailed, twiceAtMost, untilEnd } from './sketch-end.js';
import { sourceText } from './sketch-site.js';
import { VideoRecorder } from './video-recorder.js';
import { WarmPages } from './warm-pages.js';

export interface ChromiumRendererOptions extends ChromiumOptions {
  /** Renders at once, and as many recordings beside them. Default: one a core. */
  concurrency?: number;
}

/**
 * Renders sketches in one warm headless Chromium, each in a fresh document, each job in a context of its own, and
 * records videos in browsers of their own. Starts lazily.
 */
export class ChromiumSketchRenderer extends SketchRenderer {
  private readonly pages: WarmPages;
  private readonly recorder: VideoRecorder;
  private readonly renders: PQueue;
  /** Apart, so that no draft waits for a video. */
  private readonly recordings: PQueue;

  constructor(options: ChromiumRendererOptions) {
    super();
    const concurrency = options.concurrency ?? availableParallelism();
    this.pages = new WarmPages(options, concurrency);
    this.recorder = new VideoRecorder(options);
    this.renders = new PQueue({ concurrency });
    this.recordings = new PQueue({ concurrency });
  }

  /**
   * Waits for its turn, then renders. Throws SketchError, or the signal's reason when aborted. The time
   * limit counts from the moment the sketch starts. A browser that dies costs one more try.
   */
  async render(sketch: SketchRun): Promise<SketchImage> {
    const { signal } = sketch;
    signal?.throwIfAborted();
    const render = () => twiceAtMost(() => this.renderOnce(sketch), () => this.pages.alive());
    return this.renders.add(render, { signal });
  }

  /** Waits for its turn, then records. Throws, counts and tries again as `render`. */
  async record(sketch: VideoRun): Promise<SketchVideo> {
    const { signal } = sketch;
    signal?.throwIfAborted();
    const browserLives = async () => this.recorder.browserLived(sketch);
    return this.recordings.add(() => twiceAtMost(() => this.recorder.record(sketch), browserLives), { signal });
  }

  /** Ends the browsers. Renders under way fail with a SketchError that is not permanent. */
  async close(): Promise<void> {
    await Promise.all([this.pages.close(), this.recorder.close()]);
    await Promise.all([this.renders.onIdle(), this.recordings.onIdle()]);
    // What was starting or renewed meanwhile is known only now.
    await Promise.all([this.pages.close(), this.recorder.close()]);
  }

  private async renderOnce(sketch: SketchRun): Promise<SketchImage> {
    const page = await this.pages.take(sketch).catch(browserFailed);
    try {
      sketch.signal?.throwIfAborted();
      sketch.onProgress?.(0.1);
      const waitedFor = () => WAITED_FOR[captureRule(sourceText(sketch))];
      const image = await untilEnd(page, sketch, () => page.run(sketch), waitedFor);
      void this.pages.giveBack(page, sketch);
      return image;
    } catch (failure) {
      this.pages.end(page);
      throw failure;
    }
  }
}

const WAITED_FOR = {
  capture: 'it names capture() or fxpreview() and never came to call it',
  noLoop: 'it names noLoop() and never came to call it',
  firstFrame: 'its first frame did not end',
};
