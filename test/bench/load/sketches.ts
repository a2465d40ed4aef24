import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';
import type { Page } from 'playwright-core';
import { launchChromium, type RunningChromium } from '#libs/sandbox/chromium/chromium-launch.js';
import { ChromiumSketchRenderer } from '#libs/sandbox/chromium/chromium-sketch-renderer.js';
import { given, serveBench } from '../child.js';
import { median } from '../statistics.js';

/** Renders a sketch so often: as Platen does, in a bare page that stays, or in a bare context each time. */
export interface SketchLoad {
  how: 'platen' | 'warm-page' | 'new-context';
  renders: number;
  /** At once. */
  abreast: number;
}

export interface SketchResult {
  perSecond: number;
  /** Milliseconds, median. */
  p50: number;
  /** Of the browser. */
  version: string;
}

const SIDE = 1_024;
const SHAPES = 5_000;
const HASH = 'oo123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQ';
/** Less would be an empty picture. */
const SMALLEST_PNG = 100_000;
const P5 = readFileSync(createRequire(import.meta.url).resolve('p5/lib/p5.min.js'), 'utf8');
const DRAW = `
  background(240);
  noStroke();
  for (let i = 0; i < ${SHAPES}; i++) {
    fill(random(255), random(255), random(255), 200);
    if (i % 2) circle(random(width), random(height), random(4, 40));
    else rect(random(width), random(height), random(4, 40), random(4, 40));
  }`;
const SKETCH = `function setup() { createCanvas(${SIDE}, ${SIDE}); noLoop(); } function draw() { ${DRAW} }`;
/** The same by hand: one p5 after another in a page that has p5 already, drawn and read at once. */
const BARE = `() => new Promise((resolve) => {
  new p5((p) => {
    p.setup = () => {
      const canvas = p.createCanvas(${SIDE}, ${SIDE}).elt;
      p.noLoop();
      p.pixelDensity(1);
      const { background, noStroke, fill, circle, rect, random } = Object.fromEntries(
        ['background', 'noStroke', 'fill', 'circle', 'rect', 'random'].map((name) => [name, p[name].bind(p)]));
      const { width, height } = p;
      ${DRAW}
      resolve(canvas.toDataURL('image/png'));
      p.remove();
    };
  });
})`;

const options = { cacheDirectory: given('CHROMIUM_CACHE'), allowUnsandboxed: true };
const renderer = new ChromiumSketchRenderer(options);
let bare: Promise<RunningChromium> | undefined;
const idlePages: Page[] = [];

const WAYS = {
  platen: async () => {
    const { bytes } = await renderer.render({
      source: { code: SKETCH }, hash: HASH, variables: {}, width: SIDE, height: SIDE, pixelDensity: 1, renderer: '2D',
      p5Version: '1', format: 'png', assets: {}, timeLimitMs: 60_000, isPreview: false, job: 'bench',
    });
    return Buffer.from(bytes);
  },
  'warm-page': async () => {
    const page = idlePages.pop() ?? (await openPage());
    const png = await renderIn(page);
    idlePages.push(page);
    return png;
  },
  'new-context': async () => {
    const page = await openPage();
    const png = await renderIn(page);
    await page.context().close();
    return png;
  },
};

serveBench('to render', measureSketches);

async function measureSketches({ how, renders, abreast }: SketchLoad): Promise<SketchResult> {
  const times: number[] = [];
  const started = performance.now();
  let begun = 0;
  const renderOnAndOn = async () => {
    while (begun++ < renders) {
      const before = performance.now();
      const png = await WAYS[how]();
      if (png.length < SMALLEST_PNG) throw new Error(`A picture of ${png.length} bytes is empty`);
      times.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: abreast }, renderOnAndOn));
  const perSecond = times.length / ((performance.now() - started) / 1_000);
  return { perSecond, p50: median(times), version: (await bareBrowser()).browser.version() };
}

function bareBrowser(): Promise<RunningChromium> {
  bare ??= launchChromium(options);
  return bare;
}

async function openPage(): Promise<Page> {
  const { browser } = await bareBrowser();
  const context = await browser.newContext({ viewport: { width: SIDE, height: SIDE } });
  const page = await context.newPage();
  await page.addScriptTag({ content: P5 });
  return page;
}

async function renderIn(page: Page): Promise<Buffer> {
  const url = await page.evaluate<string>(`(${BARE})()`);
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
}
