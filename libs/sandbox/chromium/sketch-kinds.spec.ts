import sharp from 'sharp';
import type { SketchImage, SketchRun } from '#libs/sandbox/sketch-renderer.js';
import { HASH, sha256, sketchRun, testRenderer } from '../../../test/factories/sketch-run.js';

const renderer = testRenderer();
afterAll(() => renderer.close());

const render = (source: string | Record<string, string>, changes?: Partial<SketchRun>) =>
  renderer.render(sketchRun(source, changes));

async function pixel(image: SketchImage, x: number, y: number): Promise<number[]> {
  const raw = await sharp(image.bytes).removeAlpha().raw().toBuffer();
  const at = (y * image.width + x) * 3;
  return [...raw.subarray(at, at + 3)];
}

/** As published on fxhash: its snippet in the page, features, `fxpreview` at the end. */
const FXHASH_FOLDER = {
  'index.html': `<!DOCTYPE html>
<html>
  <head>
    <meta charset="utf-8">
    <script id="fxhash-snippet">
      const search = new URLSearchParams(window.location.search);
      const alphabet = "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ";
      var fxhash = search.get("fxhash");
      let b58dec = (str) => [...str].reduce((p, c) => (p * alphabet.length + alphabet.indexOf(c)) | 0, 0);
      let fxhashTrunc = fxhash.slice(2);
      let regex = new RegExp(".{" + ((fxhashTrunc.length / 4) | 0) + "}", "g");
      let hashes = fxhashTrunc.match(regex).map((h) => b58dec(h));
      let sfc32 = (a, b, c, d) => () => {
        a |= 0; b |= 0; c |= 0; d |= 0;
        var t = (((a + b) | 0) + d) | 0;
        d = (d + 1) | 0; a = b ^ (b >>> 9); b = (c + (c << 3)) | 0;
        c = (c << 21) | (c >>> 11); c = (c + t) | 0;
        return (t >>> 0) / 4294967296;
      };
      var fxrand = sfc32(...hashes);
      function fxpreview() {
        window.dispatchEvent(new Event("fxhash-preview"));
        setTimeout(() => fxpreview(), 500);
      }
      var $fx = { hash: fxhash, rand: fxrand, preview: fxpreview, _features: undefined,
        features: function (f) { this._features = f; }, getFeatures: function () { return this._features; } };
    </script>
    <script src="https://cdnjs.cloudflare.com/ajax/libs/p5.js/1.4.0/p5.min.js"
      integrity="sha256-x" crossorigin="anonymous"></script>
    <link rel="stylesheet" href="./styles.css">
  </head>
  <body><script src="./scripts/sketch.js"></script></body>
</html>`,
  'styles.css': 'body { margin: 0 }',
  'scripts/sketch.js': `
    console.log([fxrand(), fxrand()]);
    $fx.features({ Palette: 'night', Rings: 3, Dense: false });
    function setup() { createCanvas(windowWidth, windowHeight); }
    function draw() { background(frameCount * 10, 0, 0); if (frameCount === 7) { fxpreview(); } }`,
};

describe('kinds of sketches', () => {
  it.each(['1', '2'] as const)('runs a sketch in global mode (p5 %s)', async (p5Version) => {
    const code = 'function setup() { createCanvas(30, 20); } function draw() { background(10, 200, 30); }';
    const image = await render(code, { p5Version });
    expect(image).toMatchObject({ width: 30, height: 20, mimeType: 'image/png' });
    expect(await pixel(image, 5, 5)).toEqual([10, 200, 30]);
  });

  it.each(['1', '2'] as const)('runs a sketch in instance mode (p5 %s)', async (p5Version) => {
    const image = await render(
      `new p5((p) => {
         p.setup = () => { p.createCanvas(20, 20); p.createGraphics(300, 300).background(255); p.noLoop(); };
         p.draw = () => p.background(p.frameCount * 50, 0, 0);
       });`,
      { p5Version },
    );
    expect(image.width).toBe(20);
    expect(await pixel(image, 5, 5)).toEqual([50, 0, 0]);
  });

  it.each([
    ['1', 'function preload() { dot = loadImage("art/dot.svg"); } function setup() { createCanvas(10, 10); }'],
    ['2', 'async function setup() { createCanvas(10, 10); dot = await loadImage("art/dot.svg"); }'],
  ] as const)('loads images it was given (p5 %s)', async (p5Version, code) => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10">
      <rect width="10" height="10" fill="#0000ff"/></svg>`;
    const assets = { 'art/dot.svg': { bytes: Buffer.from(svg), mimeType: 'image/svg+xml' } };
    const image = await render(`let dot; ${code} function draw() { image(dot, 0, 0); }`, { p5Version, assets });
    expect(await pixel(image, 5, 5)).toEqual([0, 0, 255]);
  });

  it('draws on a canvas of the window when the sketch makes none, in WebGL where asked', async () => {
    const code = 'function draw() { background(0, 0, 255); console.log(drawingContext.constructor.name); }';
    const image = await render(code, { width: 40, height: 30, pixelDensity: 2, renderer: 'WEBGL' });
    expect(image).toMatchObject({ width: 80, height: 60, logs: ['WebGL2RenderingContext'] });
    expect(await pixel(image, 79, 59)).toEqual([0, 0, 255]);
  });

  it.each(['1', '2'] as const)('gives createCanvas the renderer asked for (p5 %s)', async (p5Version) => {
    const code = `function setup() { createCanvas(16, 16); }
      function draw() { background(9); normalMaterial(); sphere(4); }`;
    const image = await render(code, { p5Version, renderer: 'WEBGL' });
    expect(image.width).toBe(16);
    expect(await pixel(image, 1, 1)).toEqual([9, 9, 9]);
  });

  it('runs a sketch without p5', async () => {
    const image = await render(`
      const canvas = document.body.appendChild(document.createElement('canvas'));
      canvas.width = canvas.height = 50;
      const gl = canvas.getContext('webgl');
      requestAnimationFrame(() => { gl.clearColor(0, 1, 0, 1); gl.clear(gl.COLOR_BUFFER_BIT); });`);
    expect(await pixel(image, 1, 1)).toEqual([0, 255, 0]);
  });

  it("runs a folder as fxhash publishes it, with its snippet, a CDN's p5 and its own files", async () => {
    const image = await render(FXHASH_FOLDER, { width: 60, height: 40 });
    expect(image).toMatchObject({ width: 60, height: 40, features: { Palette: 'night', Rings: 3, Dense: false } });
    expect(image.logs[0]).toBe('[0.5889415799174458,0.2705533488187939]');
    expect(await pixel(image, 1, 1)).toEqual([70, 0, 0]);
  });

  it('takes p5 2 for a folder when asked', async () => {
    const html = `<html><head><script src="https://unpkg.com/p5"></script></head><body>
      <script>function setup() { createCanvas(9, 9); console.log(p5.VERSION); }</script></body></html>`;
    const image = await render({ 'index.html': html }, { p5Version: '2' });
    expect(image.logs).toEqual(['2.3.4']);
  });

  it('has the names of fxhash and of Platen', async () => {
    const image = await render(
      `$fx.params([{ id: 'hue', type: 'number', default: 4 }, { id: 'ink', type: 'color', default: 'ff000080' }]);
       console.log([hash === fxhash, $fx.hash === hash, typeof $fx.minter, $fx.iteration, $fx.context, $fx.isPreview]);
       console.log([variables.mood, $fx.getParam('hue'), $fx.getParam('ink').hex.rgb]);
       console.log([pseudorandomPickButNot([1, 2], 2), pseudorandomWeightedPick(['a', 'b'], [0, 1])]);
       console.log([pseudorandomIntegers(50, 1, 3).every((n) => [1, 2, 3].includes(n)), typeof pseudorandomBoolean()]);
       window.$fxhashFeatures = { Old: 'way', Nested: { a: 1 } };
       $fx.features({ New: true });
       console.log($fx.getFeature('New'));
       function setup() { $fx.preview(); }`,
      { variables: { mood: 'calm', hue: 9 }, isPreview: true },
    );
    expect(image.logs).toEqual([
      '[true,true,"string",1,"capture",true]', '["calm",9,"#ff0000"]', '[1,"b"]', '[true,"boolean"]', 'true',
    ]);
    expect(image.features).toEqual({ Old: 'way', Nested: '{"a":1}', New: true });
  });

  it('repeats what pseudorandomSeed starts, whatever the hash', async () => {
    const code = 'pseudorandomSeed("x"); console.log(pseudorandoms(3)); function draw() {}';
    const [one, two] = await Promise.all([render(code), render(code, { hash: HASH.replace('oo1', 'oo9') })]);
    expect(one.logs).toEqual(two.logs);
  });

  it.each(['png', 'jpeg', 'webp'] as const)('saves %s', async (format) => {
    const image = await render('function draw() { background(200); }', { format });
    expect(image.mimeType).toBe(`image/${format}`);
    expect((await sharp(image.bytes).metadata()).format).toBe(format);
  });

  it('draws text with shipped fonts only', async () => {
    const draw = (font: string) =>
      render(`function draw() { background(255); textSize(20); textFont('${font}'); text('Quire', 2, 30); }`);
    const [sans, unknown] = await Promise.all(['Arial', 'Wingdings'].map(draw));
    expect(sha256(sans!)).toBe(sha256(await draw('DejaVu Sans')));
    expect(sha256(unknown!)).toBe(sha256(await draw('DejaVu Serif')));
  });
});
