import { endChromium, launchChromium, type ChromiumOptions, type RunningChromium } from './chromium-launch.js';
import type { Sketch } from '#libs/sandbox/sketch-renderer.js';
import { KeptPages } from './kept-pages.js';
import { SketchPage } from './sketch-page.js';
import { sketchDocument } from './sketch-site.js';
import { fits, type WaitingPage } from './waiting-page.js';

/**
 * One browser, started on first use and again when it died, and in it a page that waits for a sketch, and those
 * that wait for the next edition of a job.
 */
export class WarmPages {
  private running?: Promise<RunningChromium>;
  private spare?: WaitingPage;
  private readonly kept: KeptPages;
  private readonly ending = new Set<Promise<void>>();
  private closed = false;

  constructor(
    private readonly options: ChromiumOptions,
    /** As many as there are renders at once. */
    keptAtMost: number,
  ) {
    this.kept = new KeptPages(keptAtMost, (page) => this.end(page));
  }

  /** A page that no other render sees, ready for this sketch. Prepares the next meanwhile. */
  async take(sketch: Sketch): Promise<SketchPage> {
    const chromium = await this.chromium();
    const kept = await this.kept.take(chromium, sketch);
    if (kept) return kept;
    const page = (await this.takeSpare(chromium, sketch)) ?? (await openOrReplace(chromium, sketch));
    if ('code' in sketch.source) this.prepare(chromium, sketch);
    return page;
  }

  /** After a good end: its next document is for the job's next edition. A sketch without a job has none. */
  async giveBack(page: SketchPage, sketch: Sketch): Promise<void> {
    const { job } = sketch;
    const chromium = await this.running?.catch(() => undefined);
    if (job === undefined || !chromium || this.closed) return this.end(page);
    this.kept.keep(chromium, page, sketch, job);
  }

  /** Closes a page beside the road. */
  end(page: SketchPage): void {
    const ended = page.close().finally(() => this.ending.delete(ended));
    this.ending.add(ended);
  }

  /** Whether the browser is up. False while it is being replaced. */
  async alive(): Promise<boolean> {
    const chromium = await this.running?.catch(() => undefined);
    return chromium?.browser.isConnected() ?? false;
  }

  /** Ends the browser, at the latest after 5 s by force. */
  async close(): Promise<void> {
    this.closed = true;
    const chromium = await this.running?.catch(() => undefined);
    this.kept.clear();
    if (chromium) await endChromium(chromium);
    await Promise.all(this.ending);
  }

  private async chromium(): Promise<RunningChromium> {
    if (this.closed) throw new Error('The renderer is closed');
    const chromium = await this.running?.catch(() => undefined);
    if (chromium?.browser.isConnected()) return chromium;
    // Another render may have replaced it while this one looked.
    if (this.running && chromium !== (await this.running.catch(() => undefined))) return this.chromium();
    this.running = launchChromium(this.options);
    return this.running;
  }

  private async takeSpare(chromium: RunningChromium, sketch: Sketch): Promise<SketchPage | undefined> {
    const spare = this.spare;
    if (!spare || !('code' in sketch.source) || !fits(spare, chromium, sketch)) return undefined;
    this.spare = undefined;
    return spare.page;
  }

  private prepare(chromium: RunningChromium, sketch: Sketch): void {
    const before = this.spare;
    if (before && fits(before, chromium, sketch)) return;
    void before?.page.then((page) => page?.close());
    const { p5Version, width, height } = sketch;
    const page = openPage(chromium, sketch).catch(() => undefined);
    this.spare = { chromium, p5Version, width, height, page };
  }
}

const openPage = (chromium: RunningChromium, sketch: Sketch) =>
  SketchPage.open(chromium.browser, sketchDocument(sketch), sketch);

/** A browser that does not open a page any more is ended, so that the next call starts another. */
const openOrReplace = (chromium: RunningChromium, sketch: Sketch) =>
  openPage(chromium, sketch).catch((failure: unknown) => {
    void endChromium(chromium);
    throw failure;
  });
