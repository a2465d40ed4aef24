import type { SketchError, SketchRun } from '#libs/sandbox/sketch-renderer.js';
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

describe('a sketch that fails', () => {
  it.each([
    ['in setup', 'function setup() {\n  createCanvas(9, 9);\n  missing();\n}', 'sketch.js:3:3'],
    ['in draw', '\n\nfunction draw() { null.x; }', 'sketch.js:3:24'],
    ['inside p5', '\nfunction draw() {\n  image(undefined, 0, 0);\n}', 'sketch.js:3:'],
    ['to parse', 'let a;\nlet a;', 'sketch.js:2:5'],
    ['in a promise', '\nPromise.reject(new Error("late"));\nfunction draw() {}', 'sketch.js:2:'],
    ['in a timer', 'function draw() { if (frameCount > 9) noLoop(); }\nsetTimeout(() => missing(), 5);', 'sketch.js:2:'],
  ])('%s says in which line', async (_, code, place) => {
    for (const p5Version of ['1', '2'] as const) {
      const error = await failure(code, { p5Version });
      expect(error).toMatchObject({ reason: 'error', permanent: true });
      expect(error.message).toContain(place);
    }
  });

  it("names the file of a folder, and counts its lines as the author's", async () => {
    const page = [
      '<html>', '<head>', '<script src="a/part.js"></script></head>', '<body>', '<script>',
      'throw new Error("inline")</script></body></html>',
    ].join('\n');
    const run = (files: Record<string, string>) => renderer.render(sketchRun(files));
    await expect(run({ 'index.html': page, 'a/part.js': '\nmissing()' })).rejects.toThrow('(a/part.js:2:1)');
    await expect(run({ 'index.html': page, 'a/part.js': '' })).rejects.toThrow('inline (index.html:6:7)');
  });

  it('keeps the last 100 lines of its console', async () => {
    const { logs } = await render(
      `for (let i = 0; i < 5000; i++) console.log('line', i, { i });
       console.error('x');
       function draw() {}`,
    );
    expect(logs).toHaveLength(100);
    expect(logs.slice(-2)).toEqual(['line 4999 {"i":4999}', 'x']);
  });

  it.each([
    ['without a canvas', 'console.log(1)', 'no_canvas'],
    ['with an empty canvas', 'function setup() { createCanvas(0, 0); }', 'error'],
    ['with more than 40 megapixels', 'function setup() { createCanvas(9000, 9000); }', 'error'],
  ])('ends %s', async (_, code, reason) => {
    expect(await failure(code)).toMatchObject({ reason, permanent: true });
  });

  it('may load an image several times, but not for ever, nor many times at once', async () => {
    const assets = { 'large.bin': { bytes: Buffer.alloc(16 * 1024 ** 2), mimeType: 'image/png' } };
    const loads = (times: number) => `
      async function setup() {
        createCanvas(9, 9);
        await Promise.all(Array.from({ length: ${times} }, () => fetch('large.bin').then((file) => file.blob())));
      }`;
    await expect(render(loads(2), { assets, p5Version: '2', timeLimitMs: 20_000 })).resolves.toMatchObject({ width: 9 });
    const error = await failure(loads(40), { assets, p5Version: '2' });
    expect(error).toMatchObject({ reason: 'error', message: 'The sketch loaded more than 512 MB of its files' });
  });

  it('is not known as the page, and leaves nothing to the next', async () => {
    await render('localStorage.x = 1; window.leak = 1; function draw() {}');
    const { logs } = await render('console.log([localStorage.x, window.leak, typeof platen]); function draw() {}');
    expect(logs).toEqual(['[null,null,"undefined"]']);
  });
});
