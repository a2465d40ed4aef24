import sharp from 'sharp';
import type { SketchRun } from '#libs/sandbox/sketch-renderer.js';
import { sketchRun, testRenderer } from '../../../test/factories/sketch-run.js';

const renderer = testRenderer();
afterAll(() => renderer.close());

const render = (code: string, changes?: Partial<SketchRun>) => renderer.render(sketchRun(code, changes));
const DRAW = 'function draw() {}';
const HUGE = "const huge = 'x'.repeat(300e6);";

describe('what a sketch says', () => {
  it('is cut, be its features as many and as long as they may', async () => {
    const { features } = await render(`
      const text = 'x'.repeat(60e6);
      const many = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [i + text.slice(0, 2000), text]));
      for (let i = 0; i < 500; i++) many['n' + i] = i;
      $fx.features(many); ${DRAW}`);
    const entries = Object.entries(features);
    expect(entries).toHaveLength(100);
    expect(Math.max(...entries.map(([name, value]) => Math.max(name.length, String(value).length)))).toBe(1_000);
  });

  it('is cut though the sketch replaces what cuts it', async () => {
    const { features, logs } = await render(`
      $fx.features({ a: 'x'.repeat(5000), b: NaN, c: 3, d: { e: 1 } });
      console.log('x'.repeat(5000));
      const same = function () { return this; };
      for (const type of [String, Array]) type.prototype.slice = same;
      Object.prototype.toJSON = Object.prototype.then = () => 'y'.repeat(1e6);
      JSON.stringify = Object.entries = Object.keys = Reflect.apply = Function.prototype.call = () => 'z'.repeat(1e6);
      String.prototype.toString = Array.prototype.push = Array.prototype.shift = same;
      const canvas = document.body.appendChild(document.createElement('canvas'));
      canvas.getContext('2d');`);
    expect(features).toEqual({ a: 'x'.repeat(1_000), c: 3, d: `"${'y'.repeat(999)}` });
    expect(logs).toEqual(['x'.repeat(2_000)]);
  });

  it('has no features that say nothing, and objects as JSON', async () => {
    const { features } = await render(`
      const own = {};
      own.own = own;
      $fx.features({
        nothing: null, none: undefined, wrong: NaN, endless: Infinity, own, draw() {}, sign: Symbol('s'),
        refusing: { toJSON() { throw new Error('no'); } }, silent: { toJSON() {} },
        empty: '', zero: 0, no: false, many: 10n, size: { w: 3, of: [1, 'two'] }, list: Array(900).fill(0),
      }); ${DRAW}`);
    expect(features).toEqual({
      empty: '', zero: 0, no: false, many: '10', size: '{"w":3,"of":[1,"two"]}',
      list: JSON.stringify(Array(900).fill(0)).slice(0, 1_000),
    });
  });

  it('is never taken for the image', async () => {
    const { bytes } = await render(`
      HTMLCanvasElement.prototype.toBlob = (callback) => callback(new Blob(['\\x89PNG']));
      Blob.prototype.arrayBuffer = Blob.prototype.slice = Blob.prototype.stream = () => new Blob(['A'.repeat(200e6)]);
      Object.defineProperty(HTMLCanvasElement.prototype, 'width', { get: () => 1e9 }); ${DRAW}`);
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'png', width: 64, height: 64 });
  });

  it('is all it has: its frames find nothing of ours', async () => {
    const { logs } = await render(`
      const { contentWindow: frame } = document.documentElement.appendChild(document.createElement('iframe'));
      console.log(typeof window.p5, typeof window.platen, typeof frame.p5, typeof frame.platen); ${DRAW}`);
    expect(logs).toEqual(['function undefined undefined undefined']);
  });

  it('is an error when its canvas is a fake', async () => {
    const fake = "document.querySelectorAll = () => [{ width: 9, height: 9, toBlob: (done) => done(new Blob()) }];";
    await expect(render(`${fake} capture();`)).rejects.toMatchObject({ reason: 'error', permanent: true });
  });
});

describe('a sketch that shouts', () => {
  it.each([
    ['to the console', `${HUGE} console.log(huge, huge); console.count(huge); console.table([huge]); ${DRAW}`],
    ['in dialogs', `${HUGE} alert(huge); prompt(huge, huge); confirm(huge); ${DRAW}`],
    ['in the title', `${HUGE} document.title = huge; ${DRAW}`],
    ['in requests', `${HUGE} fetch('x', { method: 'POST', body: huge }).catch(() => {}); ${DRAW}`],
    ['in addresses', `${HUGE} new Image().src = 'data:text/plain,' + huge; fetch('/' + huge).catch(() => {}); ${DRAW}`],
    ['in downloads', `${HUGE} const a = document.createElement('a'); a.download = huge; a.href = 'data:,' + huge; a.click(); ${DRAW}`],
    ['in the address bar', `${HUGE} try { history.pushState(huge, '', '#' + huge); } catch {} ${DRAW}`],
  ])('%s does no harm', async (_, code) => {
    await render(code, { timeLimitMs: 2_000 }).catch((failure: unknown) => expect(failure).toMatchObject({ name: 'SketchError' }));
    expect((await render(DRAW)).width).toBe(64);
  }, 40_000);

  it.each([
    ['an error', `${HUGE} function setup() { throw new Error(huge); }`],
    ['a text', `${HUGE} function setup() { throw huge + huge.slice(0, 1e8); }`],
    ['a rejection', `${HUGE} Promise.reject(new Error(huge)); ${DRAW}`],
  ])('by throwing %s fails, in short words', async (_, code) => {
    const failure = await render(code).then(() => undefined, (error: Error) => error);
    expect(failure).toMatchObject({ reason: 'error', permanent: true });
    expect(failure?.message.length).toBeLessThan(2_100);
  }, 40_000);

  it('through the console of a frame ends its browser, not the worker', async () => {
    const frame = 'document.body.appendChild(document.createElement("iframe")).contentWindow';
    const shout = `function setup() { ${frame}.console.log('x'.repeat(70e6)); }`;
    const outcome = await render(shout, { timeLimitMs: 20_000 }).catch((error: unknown) => error);
    expect(outcome).toMatchObject({ name: 'SketchError', reason: 'browser' });
    expect((await render(DRAW)).width).toBe(64);
  }, 40_000);
});

it('keeps a large image that does not compress', async () => {
  const code = `function setup() { pixelDensity(1); createCanvas(4000, 2500); noLoop(); }
    function draw() {
      const noise = new ImageData(4000, 2500);
      const words = new Uint32Array(noise.data.buffer);
      let state = 1;
      for (let i = 0; i < words.length; i++) {
        state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
        words[i] = state | 0xff000000;
      }
      drawingContext.putImageData(noise, 0, 0);
    }`;
  const { bytes, width, height } = await render(code, { timeLimitMs: 60_000 });
  expect([width, height]).toEqual([4000, 2500]);
  expect(bytes.length).toBeGreaterThan(25e6);
  expect((await sharp(bytes).metadata()).width).toBe(4000);
}, 90_000);
