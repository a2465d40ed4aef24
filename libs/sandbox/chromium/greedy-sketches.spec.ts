import { sketchRun, testRenderer } from '../../../test/factories/sketch-run.js';

const renderer = testRenderer();
afterAll(() => renderer.close());

const DRAW = 'function draw() {}';
const LIMIT_MS = 800;
/** What its turn, closing a page in a loop and another browser may take on a busy machine, for all of them. */
const PATIENCE_MS = 150_000;

const GREEDY: Array<[what: string, code: string]> = [
  ['a loop', 'while (true);'],
  ['a loop in each frame', 'function draw() { for (let i = 0; i < 1e10; i++); }'],
  ['promises without end', 'async function go() { for (;;) await null; } go(); function draw() { if (frameCount < 0) capture(); }'],
  ['frames without end', 'const again = () => requestAnimationFrame(again); again(); function draw() { if (frameCount < 0) capture(); }'],
  ['timers without end', `const more = () => { setTimeout(more); setTimeout(more); }; more(); setInterval(() => {}, 0);
      function draw() { if (frameCount < 0) capture(); }`],
  ['microtasks without end', 'const more = () => queueMicrotask(more); more(); function draw() {}'],
  ['messages without end', `const { port1, port2 } = new MessageChannel(); port1.onmessage = () => port2.postMessage(0);
      port2.postMessage(0); function draw() { if (frameCount < 0) capture(); }`],
  ['a regular expression', '/(a+)+$/.test("a".repeat(60) + "b")'],
  ['deep recursion', 'const f = () => f(); f();'],
  ['arrays', 'const all = []; for (;;) all.push(new Array(1e6).fill(1.5));'],
  ['buffers', 'const all = []; for (;;) all.push(new Uint8Array(64e6).fill(1));'],
  ['texts', 'const all = []; for (let i = 0; ; i++) all.push((i + "x").repeat(1e7).split("").join("y"));'],
  ['WebAssembly memory', 'const all = []; for (;;) { const m = new WebAssembly.Memory({ initial: 10000 }); new Uint8Array(m.buffer).fill(1); all.push(m); }'],
  ['canvases', `const all = []; for (;;) { const c = new OffscreenCanvas(16000, 16000); c.getContext('2d').fillRect(0, 0, 16000, 16000); all.push(c); }`],
  ['a giant canvas', 'function setup() { createCanvas(60000, 60000); } function draw() { background(1); }'],
  ['giant WebGL', 'function setup() { createCanvas(16000, 16000, WEBGL); } function draw() { background(1); }'],
  ['elements', 'for (;;) document.body.appendChild(document.createElement("canvas"));'],
  ['frames of its own', 'for (let i = 0; i < 1e5; i++) document.body.appendChild(document.createElement("iframe"));'],
  ['storage', 'for (let i = 0; ; i++) localStorage["k" + i] = "x".repeat(1e6);'],
  ['blobs', 'const all = []; for (;;) all.push(new Blob([new Uint8Array(64e6)]));'],
  ['dialogs', 'for (;;) { alert(1); confirm(2); prompt(3); print(); }'],
  ['reloads', 'location.reload(); function draw() { if (frameCount < 0) capture(); }'],
  ['history', 'for (let i = 0; ; i++) history.pushState(i, "", "#" + i);'],
];

it('a sketch that takes all it can get fails within its limit, and the next is drawn', async () => {
  const outcomes = GREEDY.map(async ([what, code]) => {
    const rendering = renderer.render(sketchRun(code, { timeLimitMs: LIMIT_MS }));
    return [what, await rendering.then(() => 'drawn', (failure: Error) => failure.name)];
  });
  for (const [what, outcome] of await Promise.all(outcomes)) {
    // Some of them harm nobody.
    expect([[what, 'SketchError'], [what, 'drawn']]).toContainEqual([what, outcome]);
  }
  expect((await renderer.render(sketchRun(DRAW, { timeLimitMs: 20_000 }))).width).toBe(64);
}, PATIENCE_MS);

it('a sketch that takes more memory than a sketch may have loses its page, not the machine', async () => {
  const code = 'const all = []; for (;;) all.push(new Uint8Array(64e6).fill(1));';
  const rendering = renderer.render(sketchRun(code, { timeLimitMs: 60_000 }));
  await expect(rendering).rejects.toMatchObject({
    name: 'SketchError', reason: 'error', permanent: true, message: expect.stringContaining('2 GB of memory'),
  });
  expect((await renderer.render(sketchRun(DRAW, { timeLimitMs: 20_000 }))).width).toBe(64);
}, PATIENCE_MS);
