import { endChromium, launchChromium, type ChromiumOptions, type RunningChromium } from './chromium-launch.js';
import type { Sketch } from '#libs/sandbox/sketch-renderer.js';
import { SketchPage } from './sketch-page.js';
import { sketchDocument } from './sketch-site.js';

type Frame = Pick<Sketch, 'p5Version' | 'width' | 'height'>;

/**
 * A page that waits for a sketch of its own frame. Another size would not do: while a page waits, Chromium
 * holds a new size back for seconds, and the sketch would find a window of the old one.
 */
interface Spare extends Frame {
  chromium: RunningChromium;
  page: Promise<SketchPage | undefined>;
}

/** A page whose next document waits for another edition of its job. */
interface Kept extends Spare {
  job: string;
  /** What the documents are made of. */
  html: string;
  idle: NodeJS.Timeout;
}

/** How long a page is kept for its job. */
const IDLE_MS = 10_000;

/**
 * One browser, started on first use and again when it died, and in it a page that waits for a sketch, and those
 * that wait for the next edition of a job.
 */
export class WarmPages {
  private running?: Promise<RunningChromium>;
  private spare?: Spare;
  private kept: Kept[] = [];
  private readonly ending = new Set<Promise<void>>();
  private closed = false;

  constructor(
    private readonly options: ChromiumOptions,
    /** As many as there are renders at once. */
    private readonly keptAtMost: number,
  ) {}

  /** A page that no other render sees, ready for this sketch. Prepares the next meanwhile. */
  async take(sketch: Sketch): Promise<SketchPage> {
    const chromium = await this.chromium();
    const kept = await this.takeKept(chromium, sketch);
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
    const renewed = page.renew().then((fresh) => {
      if (fresh) return page;
      this.end(page);
      return undefined;
    });
    const { p5Version, width, height } = sketch;
    const kept: Kept = {
      chromium, p5Version, width, height, job, html: sketchDocument(sketch), page: renewed,
      idle: setTimeout(() => this.forget(kept), IDLE_MS).unref(),
    };
    this.kept.push(kept);
    if (this.kept.length > this.keptAtMost) this.forget(this.kept[0] as Kept);
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
    for (const { idle } of this.kept.splice(0)) clearTimeout(idle);
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

  private async takeKept(chromium: RunningChromium, sketch: Sketch): Promise<SketchPage | undefined> {
    if (sketch.job === undefined) return undefined;
    const html = sketchDocument(sketch);
    const kept = this.kept.find((one) => one.job === sketch.job && one.html === html && fits(one, chromium, sketch));
    if (!kept) return undefined;
    this.leave(kept);
    return kept.page;
  }

  private forget(kept: Kept): void {
    this.leave(kept);
    void kept.page.then((page) => page && this.end(page));
  }

  private leave(kept: Kept): void {
    clearTimeout(kept.idle);
    this.kept = this.kept.filter((one) => one !== kept);
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

const fits = (spare: Spare, chromium: RunningChromium, { p5Version, width, height }: Frame): boolean =>
  spare.chromium === chromium && spare.p5Version === p5Version && spare.width === width && spare.height === height;

const openPage = (chromium: RunningChromium, sketch: Sketch) =>
  SketchPage.open(chromium.browser, sketchDocument(sketch), sketch);

/** A browser that does not open a page any more is ended, so that the next call starts another. */
const openOrReplace = (chromium: RunningChromium, sketch: Sketch) =>
  openPage(chromium, sketch).catch((failure: unknown) => {
    void endChromium(chromium);
    throw failure;
  });
