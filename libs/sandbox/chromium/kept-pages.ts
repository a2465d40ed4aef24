import type { Sketch } from '#libs/sandbox/sketch-renderer.js';
import type { RunningChromium } from './chromium-launch.js';
import { fits, type WaitingPage } from './waiting-page.js';
import type { SketchPage } from './sketch-page.js';
import { sketchDocument } from './sketch-site.js';

/** A page whose next document waits for another edition of its job. */
interface Kept extends WaitingPage {
  job: string;
  /** What the documents are made of. */
  html: string;
  idle: NodeJS.Timeout;
}

/** How long a page is kept for its job. */
const IDLE_MS = 10_000;

/** Pages that have drawn an edition of a job, each with a fresh document for the next one (docs/adr/0006-sandboxes.md). */
export class KeptPages {
  private kept: Kept[] = [];

  constructor(
    private readonly most: number,
    private readonly end: (page: SketchPage) => void,
  ) {}

  /** The page that waits for an edition of just this sketch and job. */
  async take(chromium: RunningChromium, sketch: Sketch): Promise<SketchPage | undefined> {
    if (sketch.job === undefined) return undefined;
    const { html } = sketchDocument(sketch);
    const kept = this.kept.find((one) => one.job === sketch.job && one.html === html && fits(one, chromium, sketch));
    if (!kept) return undefined;
    this.leave(kept);
    return kept.page;
  }

  /** Keeps a page after a good end; the one that was kept longest makes room. */
  keep(chromium: RunningChromium, page: SketchPage, sketch: Sketch, job: string): void {
    const renewed = page.renew().then((fresh) => {
      if (fresh) return page;
      this.end(page);
      return undefined;
    });
    const { p5Version, width, height } = sketch;
    const kept: Kept = {
      chromium, p5Version, width, height, job, html: sketchDocument(sketch).html, page: renewed,
      idle: setTimeout(() => this.forget(kept), IDLE_MS).unref(),
    };
    this.kept.push(kept);
    if (this.kept.length > this.most) this.forget(this.kept[0] as Kept);
  }

  /** Waits for nothing any more; the pages end with their browser. */
  clear(): void {
    for (const { idle } of this.kept.splice(0)) clearTimeout(idle);
  }

  private forget(kept: Kept): void {
    this.leave(kept);
    void kept.page.then((page) => page && this.end(page));
  }

  private leave(kept: Kept): void {
    clearTimeout(kept.idle);
    this.kept = this.kept.filter((one) => one !== kept);
  }
}
