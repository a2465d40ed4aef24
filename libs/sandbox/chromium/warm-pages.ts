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

/** One browser, started on first use and again when it died, and one page in it that waits for a sketch. */
export class WarmPages {
  private running?: Promise<RunningChromium>;
  private spare?: Spare;
  private closed = false;

  constructor(private readonly options: ChromiumOptions) {}

  /** A page that no other render sees, ready for this sketch. Prepares the next meanwhile. */
  async take(sketch: Sketch): Promise<SketchPage> {
    const chromium = await this.chromium();
    const page = (await this.takeSpare(chromium, sketch)) ?? (await openOrReplace(chromium, sketch));
    if ('code' in sketch.source) this.prepare(chromium, sketch);
    return page;
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
    if (chromium) await endChromium(chromium);
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
