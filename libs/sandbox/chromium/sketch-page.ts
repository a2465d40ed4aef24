import type { Browser, BrowserContext, CDPSession, Page, Route } from 'playwright-core';
import {
  SketchError, type Sketch, type SketchImage, type SketchRun, type SketchVideo, type VideoRun,
} from '#libs/sandbox/sketch-renderer.js';
import { PageAnswers, type PageReport } from './page-answer.js';
import { EDITION_PATH } from './page-runtime.js';
import {
  commonFile, CONTENT_SECURITY_POLICY, p5Release, sketchFiles, SKETCH_ORIGIN, type SiteFile, type SketchDocument,
} from './sketch-site.js';
import type { VideoFile } from './video-file.js';

type RecordedVideo = Omit<SketchVideo, 'bytes' | 'duration'>;

type PageFrame = Pick<Sketch, 'p5Version' | 'width' | 'height'>;

const OPEN_LIMIT_MS = 15_000;
const RESCUE_LIMIT_MS = 250;
/** All that one render may load of its files: an image may come several times, not for ever. */
const MAX_LOADED_BYTES = 512 * 1024 ** 2;
/** On their way to the browser a file's bytes exist several times: large files go one after another. */
const LARGE_FILE_BYTES = 1024 ** 2;
const CLOSE_LIMIT_MS = 5_000;
const RENEW_LIMIT_MS = 3_000;
/** Heap that earlier documents may have left behind. */
const MAX_LEFT_BYTES = 256 * 1024 ** 2;

const within = async <Value>(limitMs: number, work: Promise<Value>): Promise<Value | undefined> => {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, limitMs, undefined)));
  return Promise.race([work.catch(() => undefined), limit]).finally(() => clearTimeout(timer));
};

/** Work in a browser that dies may never settle in Playwright; this way it does. */
function whileConnected<Value>(browser: Browser, work: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const lost = () => reject(new Error('The browser died'));
    browser.once('disconnected', lost);
    work.then(resolve, reject).finally(() => browser.off('disconnected', lost));
    if (!browser.isConnected()) lost();
  });
}

/**
 * One document in a browser context of its own, for one render; another one after it for the next of the same
 * job. It loads up to the script that names the edition and waits there, so that it can be prepared before the
 * sketch is known.
 */
export class SketchPage {
  private files = new Map<string, SiteFile>();
  private held: Route[] = [];
  private started = false;
  private opened = false;
  private editionAsked = () => {};
  private giveUp = (_failure: unknown) => {};
  private loadedBytes = 0;
  private overfed = (_error: SketchError) => {};
  private largeFiles: Promise<unknown> = Promise.resolve();
  private answers!: PageAnswers;

  private constructor(
    private readonly browser: Browser,
    private readonly context: BrowserContext,
    private readonly page: Page,
    private readonly session: CDPSession,
    private readonly p5Version: Sketch['p5Version'],
    private readonly html: string,
  ) {}

  /** Opens a document in a window of the given size. */
  static async open(browser: Browser, document: SketchDocument, frame: PageFrame): Promise<SketchPage> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('The page did not open in time')), OPEN_LIMIT_MS);
    });
    const opened = SketchPage.openInContext(browser, document, frame);
    // A page that opens too late is nobody's.
    limit.catch(() => opened.then((page) => page.close()).catch(() => undefined));
    return whileConnected(browser, Promise.race([opened, limit])).finally(() => clearTimeout(timer));
  }

  private static async openInContext(
    browser: Browser,
    { html, programs }: SketchDocument,
    { p5Version, width, height }: PageFrame,
  ): Promise<SketchPage> {
    const context = await browser.newContext({
      viewport: { width, height },
      locale: 'en-US',
      timezoneId: 'UTC',
      colorScheme: 'light',
      serviceWorkers: 'block',
      acceptDownloads: false,
    });
    try {
      context.setDefaultTimeout(OPEN_LIMIT_MS);
      const page = await context.newPage();
      const opened = new SketchPage(browser, context, page, await context.newCDPSession(page), p5Version, html);
      await opened.listen();
      await opened.runFirst(programs);
      await opened.load();
      return opened;
    } catch (failure) {
      await within(CLOSE_LIMIT_MS, context.close());
      throw failure;
    }
  }

  private async listen(): Promise<void> {
    this.context.on('page', (popup) => void popup.close().catch(() => undefined));
    await this.context.route('**', (route) =>
      this.answer(route).catch((failure: unknown) => {
        this.giveUp(failure);
        return route.abort().catch(() => undefined);
      }),
    );
  }

  /** Not in the empty document that each one replaces, nor in frames. */
  private async runFirst(programs: string[]): Promise<void> {
    await this.session.send('Page.enable');
    for (const program of programs) {
      const source = `if (window === top && location.origin === '${SKETCH_ORIGIN}') {\n${program}\n}`;
      await this.session.send('Page.addScriptToEvaluateOnNewDocument', { source });
    }
  }

  private async load(): Promise<void> {
    const lost = () => this.giveUp(new Error('The page was lost'));
    const atEdition = new Promise<void>((resolve, reject) => {
      this.editionAsked = resolve;
      this.giveUp = reject;
    });
    // What fails first is told below; the rest has no one to tell.
    atEdition.catch(() => undefined);
    this.page.once('close', lost).once('crash', lost);
    try {
      await this.page.goto(`${SKETCH_ORIGIN}/`, { waitUntil: 'commit' });
      await atEdition;
    } finally {
      this.page.off('close', lost).off('crash', lost);
    }
    this.answers = await PageAnswers.find(this.session);
  }

  /** Opens a fresh document in which nothing is left of the one before. False: that could not be. */
  async renew(): Promise<boolean> {
    this.files = new Map();
    this.held = [];
    this.started = false;
    this.opened = false;
    this.loadedBytes = 0;
    const fresh = async () => {
      await this.load();
      await this.clear();
      const { usedSize } = await this.session.send('Runtime.getHeapUsage');
      return usedSize < MAX_LEFT_BYTES;
    };
    return (await within(RENEW_LIMIT_MS, whileConnected(this.browser, fresh()))) ?? false;
  }

  /** When the document before is gone and the sketch of this one has not begun: so nothing comes after. */
  private async clear(): Promise<void> {
    await this.session.send('Page.resetNavigationHistory');
    await this.session.send('Storage.clearDataForOrigin', { origin: SKETCH_ORIGIN, storageTypes: 'all' });
    await this.session.send('Runtime.evaluate', { expression: "sessionStorage.clear(); name = ''" });
  }

  /**
   * Lets the sketch run and resolves with its picture when it ends. Throws SketchError when there is none,
   * anything else when the page or its browser dies.
   */
  run(sketch: SketchRun): Promise<SketchImage> {
    return this.start(sketch, () => this.picture(sketch));
  }

  /**
   * Lets the sketch run and writes its video into `file`. Resolves when it is whole. `onFrame` is told how many
   * pictures are in. Throws as `run`.
   */
  record(sketch: VideoRun, file: VideoFile, onFrame: (frames: number) => void): Promise<RecordedVideo> {
    return this.start(sketch, () => this.video(file, onFrame));
  }

  private async start<Result>(sketch: SketchRun | VideoRun, result: () => Promise<Result>): Promise<Result> {
    const overfed = new Promise<never>((_, reject) => (this.overfed = reject));
    let onCrash = () => {};
    // What was asked of a page that crashes is never answered.
    const crashed = new Promise<never>((_, reject) => {
      onCrash = () => reject(new Error('The page crashed'));
      this.page.once('crash', onCrash);
    });
    const ended = Promise.race([whileConnected(this.browser, result()), overfed, crashed]);
    // The page may die before the answers are given; `ended` tells.
    ended.catch(() => undefined);
    this.files = sketchFiles(sketch);
    this.started = true;
    await Promise.all(this.held.map((route) => this.answer(route).catch(() => undefined)));
    return ended.finally(() => this.page.off('crash', onCrash));
  }

  private async picture({ format }: SketchRun): Promise<SketchImage> {
    const { width, height, features, logs } = await this.goodEnd();
    const bytes = await this.answers.image(format, logs);
    return { bytes, mimeType: `image/${format}`, width, height, features, logs, madeWith: this.madeWith() };
  }

  private async video(file: VideoFile, onFrame: (frames: number) => void): Promise<RecordedVideo> {
    const [{ width, height, features, logs }] = await Promise.all([this.goodEnd(), this.takeVideo(file, onFrame)]);
    return { width, height, features, logs, madeWith: this.madeWith() };
  }

  private madeWith(): SketchImage['madeWith'] {
    return { chromium: this.browser.version(), p5: p5Release(this.p5Version) };
  }

  private async takeVideo(file: VideoFile, onFrame: (frames: number) => void): Promise<void> {
    for (;;) {
      const piece = await this.answers.videoPiece();
      if (!piece) return;
      if (piece.bytes.length > 0) await file.write(piece.position, piece.bytes);
      onFrame(piece.frames);
    }
  }

  private async goodEnd(): Promise<PageReport> {
    await this.answers.ended();
    const report = await this.answers.report();
    const { fault, message, logs } = report;
    if (fault) throw new SketchError(fault, message, fault !== 'browser', logs);
    return report;
  }

  /** The console of a page that may be caught in a loop. */
  async rescueLogs(): Promise<string[]> {
    return (await this.readLogs()) ?? (await this.interrupt().then(() => this.readLogs())) ?? [];
  }

  private readLogs(): Promise<string[] | undefined> {
    return within(RESCUE_LIMIT_MS, this.answers.logs());
  }

  /** Ends the script that runs, without which a page in a loop does not close. */
  private async interrupt(): Promise<void> {
    await within(RESCUE_LIMIT_MS, this.session.send('Runtime.terminateExecution'));
  }

  async close(): Promise<void> {
    await this.interrupt();
    await within(CLOSE_LIMIT_MS, this.context.close());
  }

  private async answer(route: Route): Promise<void> {
    if (route.request().resourceType() === 'document') return this.answerDocument(route);
    const url = new URL(route.request().url());
    if (url.origin !== SKETCH_ORIGIN) return route.abort('blockedbyclient');
    const path = decodeURIComponent(url.pathname.slice(1));
    const file = commonFile(path, this.p5Version) ?? this.files.get(path);
    if (file) return this.give(route, file);
    if (this.started) return route.fulfill({ status: 404, body: '' });
    this.held.push(route);
    if (path === EDITION_PATH) this.editionAsked();
  }

  private async give(route: Route, file: SiteFile): Promise<void> {
    this.loadedBytes += file.body.length;
    if (this.loadedBytes > MAX_LOADED_BYTES) {
      this.overfed(new SketchError('error', 'The sketch loaded more than 512 MB of its files', true));
      return route.abort('blockedbyclient');
    }
    const fulfill = () => route.fulfill({ body: file.body, contentType: file.contentType });
    if (file.body.length < LARGE_FILE_BYTES) return fulfill();
    const turn = this.largeFiles.then(fulfill);
    this.largeFiles = turn.catch(() => undefined);
    return turn;
  }

  /** Only the first document is answered: 204 leaves a sketch that navigates where it is. */
  private async answerDocument(route: Route): Promise<void> {
    if (this.opened) return route.fulfill({ status: 204 });
    this.opened = true;
    // Not to be stored, nor to be kept for a way back.
    const headers = { 'content-security-policy': CONTENT_SECURITY_POLICY, 'cache-control': 'no-store' };
    return route.fulfill({ body: this.html, contentType: 'text/html; charset=utf-8', headers });
  }
}
