import sharp from 'sharp';
import type { SketchError, SketchImage, SketchRun } from '#libs/sandbox/sketch-renderer.js';
import { sketchRun, testRenderer } from '../../../test/factories/sketch-run.js';

const renderer = testRenderer();
afterAll(() => renderer.close());

const render = (code: string, changes?: Partial<SketchRun>) => renderer.render(sketchRun(code, changes));
const failure = (code: string, changes?: Partial<SketchRun>): Promise<SketchError> =>
  render(code, changes).then(
    () => {
      throw new Error('The sketch did not fail');
    },
    (error: unknown) => error as SketchError,
  );

/** A picture of one colour whose red is ten times the frame it was taken at. */
const FRAMES = 'background(frameCount * 10, 0, 0);';
const frameOf = async ({ bytes }: SketchImage) =>
  ((await sharp(bytes).removeAlpha().raw().toBuffer())[0] ?? 0) / 10;

const LOOP = 'function setup() { createCanvas(9, 9); console.log("before"); while (true) {} }';
const NEVER = 'function setup() { console.log("before"); } function draw() { if (frameCount < 0) noLoop(); }';

describe('where a sketch ends', () => {
  it.each([
    ['the first frame', `function draw() { ${FRAMES} }`, 1],
    ['noLoop()', `function draw() { ${FRAMES} if (frameCount === 5) noLoop(); }`, 5],
    ['noLoop() in setup', `function setup() { noLoop(); } function draw() { ${FRAMES} }`, 1],
    ['capture()', `function draw() { ${FRAMES} if (frameCount === 3) { capture(); background(0); } }`, 3],
    ['capture(), though what follows fails', `function draw() { ${FRAMES} if (frameCount === 2) { capture(); oops(); } }`, 2],
    ['fxpreview()', `function draw() { ${FRAMES} if (frameCount === 4) fxpreview(); }`, 4],
    ['$fx.preview()', `function draw() { ${FRAMES} if (frameCount === 6) $fx.preview(); }`, 6],
    ['a call, though noLoop() came before', `function draw() { ${FRAMES} noLoop(); setTimeout(() => fxpreview(), 99); }`, 1],
    ['the first frame, when calls are only in comments', `// noLoop()\nfunction draw() { ${FRAMES} /* fxpreview() */ }`, 1],
  ])('is %s', async (_, code, frame) => {
    expect(await frameOf(await render(code))).toBe(frame);
    expect(await frameOf(await render(code, { p5Version: '2' }))).toBe(frame);
  });

  it.each([
    ['an endless loop', LOOP, ['before']],
    ['a call that never comes', NEVER, ['before']],
  ])('is the time limit for %s, with the console so far', async (_, code, logs) => {
    const started = Date.now();
    const error = await failure(code, { timeLimitMs: 700 });
    expect(error).toMatchObject({ reason: 'time_limit', permanent: true, logs });
    expect(Date.now() - started).toBeLessThan(8_000);
    expect(await frameOf(await render(`function draw() { ${FRAMES} }`))).toBe(1);
  });

  it('is an abort, at once, even in a loop', async () => {
    const controller = new AbortController();
    const rendering = render(LOOP, { signal: controller.signal, timeLimitMs: 25_000 });
    setTimeout(() => controller.abort(new Error('cancelled')), 400);
    const started = Date.now();
    await expect(rendering).rejects.toThrow('cancelled');
    expect(Date.now() - started).toBeLessThan(8_000);
    await expect(render(LOOP, { signal: controller.signal })).rejects.toThrow('cancelled');
  });

  it('counts from its own start: those before it may take their time', async () => {
    const alone = testRenderer({ concurrency: 1 });
    const started: number[] = [];
    const onStart = () => started.push(Date.now());
    const code = `function draw() { ${FRAMES} if (frameCount === 400) noLoop(); }`;
    const [first, second] = [0, 1].map(() => alone.render(sketchRun(code, { onStart })));
    await first;
    expect(started).toHaveLength(1);
    await second;
    expect(started).toHaveLength(2);
    await alone.close();
  });
});
