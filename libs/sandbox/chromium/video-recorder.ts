import type { SketchVideo, VideoRun } from '#libs/sandbox/sketch-renderer.js';
import { endChromium, launchChromium, type ChromiumOptions, type RunningChromium } from './chromium-launch.js';
import { allowedProcessors } from './processors.js';
import { browserFailed, isBrowsers, untilEnd } from './sketch-end.js';
import { SketchPage } from './sketch-page.js';
import { sketchDocument } from './sketch-site.js';
import { VideoFile } from './video-file.js';

/**
 * Records videos, each in a browser of its own that sees one processor. Encoders split a picture among as many
 * threads as there are processors, and their bytes with it: H.264 differs from run to run, VP9 and AV1 from
 * machine to machine. With one they are always the same.
 */
export class VideoRecorder {
  private readonly running = new Set<RunningChromium>();
  private readonly ending = new Set<Promise<void>>();
  private readonly lostAlone = new WeakSet<VideoRun>();
  private turn = process.pid;
  private closed = false;

  constructor(private readonly options: ChromiumOptions) {}

  /** Throws SketchError, or the signal's reason when aborted. The time limit counts from the sketch's start. */
  async record(sketch: VideoRun): Promise<SketchVideo> {
    const chromium = await this.launch().catch(browserFailed);
    try {
      return await this.recordIn(chromium, sketch);
    } catch (failure) {
      if (isBrowsers(failure) && chromium.browser.isConnected()) this.lostAlone.add(sketch);
      throw failure;
    } finally {
      this.endLater(chromium);
    }
  }

  /** Whether the browser outlived its page when this recording failed. */
  browserLived(sketch: VideoRun): boolean {
    return !this.closed && this.lostAlone.has(sketch);
  }

  /** Ends all recordings under way. */
  async close(): Promise<void> {
    this.closed = true;
    for (const chromium of this.running) this.endLater(chromium);
    await Promise.all(this.ending);
  }

  private async launch(): Promise<RunningChromium> {
    if (this.closed) throw new Error('The renderer is closed');
    const processors = allowedProcessors();
    const processor = processors[this.turn++ % processors.length];
    const chromium = await launchChromium(this.options, { processor });
    this.running.add(chromium);
    if (this.closed) this.endLater(chromium);
    return chromium;
  }

  private async recordIn({ browser }: RunningChromium, sketch: VideoRun): Promise<SketchVideo> {
    const { video, signal } = sketch;
    const page = await SketchPage.open(browser, sketchDocument(sketch), sketch).catch(browserFailed);
    const file = await VideoFile.createIn(this.options.cacheDirectory);
    let frames = 0;
    const onFrame = (count: number) => {
      if (count === frames) return;
      frames = count;
      sketch.onProgress?.(Math.min(1, count / video.frames));
    };
    try {
      signal?.throwIfAborted();
      const run = () => page.record(sketch, file, onFrame);
      const recorded = await untilEnd(page, sketch, run, () => `${frames} of ${video.frames} frames were drawn`);
      const bytes = await file.read(video.format, signal);
      return { ...recorded, bytes, duration: video.frames / video.fps };
    } catch (failure) {
      await file.close();
      throw failure;
    }
  }

  private endLater(chromium: RunningChromium): void {
    if (!this.running.delete(chromium)) return;
    const ended = endChromium(chromium).finally(() => this.ending.delete(ended));
    this.ending.add(ended);
  }
}
