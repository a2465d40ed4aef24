import { createHash } from 'node:crypto';
import { OutboundError } from '#libs/outbound/outbound-error.js';
import type { RemoteImages } from '#libs/outbound/remote-images.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { testRenderer } from '../../test/factories/sketch-run.js';
import { runSketchStep } from '../../test/factories/sketch-step.js';
import { AssetHandle, type NodeContext } from './node.js';
import { checkPayload } from './payload.js';
import { p5Node } from './p5.node.js';

const renderer = testRenderer();
afterAll(() => renderer.close());
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64',
);
const DIGEST = createHash('sha256').update(PNG).digest('hex');
const loads: string[] = [];
const images = {
  faultOf: (url) => (url.includes('inside') ? 'The host of the URL has no public address' : null),
  load: async (url) => {
    loads.push(url);
    if (url.includes('away')) throw new OutboundError('unreachable', 'The host could not be reached');
    if (url.includes('gone')) throw new OutboundError('status', 'The host answered with status 404');
    return { bytes: PNG, mimeType: 'image/png', sha256: DIGEST };
  },
} as Pick<RemoteImages, 'load' | 'faultOf'> as RemoteImages;
const node = p5Node(renderer, images);

const SVG = `<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4">
  <rect width="4" height="4" fill="red"/></svg>`;
const handle = new AssetHandle({
  id: 'a1', storageKey: 'key', name: 'dot.svg', mimeType: 'image/svg+xml', size: SVG.length, sha256: '',
});

const run = (payload: JsonObject, changes: Partial<NodeContext> = {}) =>
  runSketchStep(node, payload, { assets: { read: async () => Buffer.from(SVG) } as never, ...changes });
const faultsOf = (payload: JsonObject) => checkPayload(node, payload).faults;

describe('the p5 node', () => {
  it('makes an image, with features as traits and the console as its log', async () => {
    const code = `$fx.features({ Mood: variables.mood, Rings: 3 }); console.log('drawn');
      function setup() { createCanvas(20, 10); }`;
    const { outcome, logs } = run({ code });
    expect(await outcome).toEqual({
      kind: 'done',
      assets: [{ name: 'sketch.png', bytes: expect.any(Buffer) }],
      traits: [{ trait_type: 'Mood', value: 'calm' }, { trait_type: 'Rings', value: 3 }],
      fetched: [],
      madeWith: { chromium: expect.stringMatching(/^\d+\./), p5: expect.stringMatching(/^1\./) },
    });
    expect(logs).toEqual(['drawn']);
  });

  it('hands assets to the sketch', async () => {
    const code = `let dot; function preload() { dot = loadImage('dot.svg'); }
      function draw() { image(dot, 0, 0); console.log(dot.width, get(1, 1)); }`;
    const { outcome, logs } = run({ code, assets: { 'dot.svg': handle as never } });
    await outcome;
    expect(logs).toEqual(['4 [255,0,0,255]']);
  });

  it('reads an asset once, whatever number of paths it has', async () => {
    const reads: AssetHandle[] = [];
    const reader = {
      read: async (asset: AssetHandle) => {
        reads.push(asset);
        return Buffer.from(SVG);
      },
    };
    const paths = Array.from({ length: 8 }, (_, index) => [`${index}.svg`, handle]);
    const { outcome } = run(
      { code: 'function draw() {}', assets: Object.fromEntries(paths) },
      { assets: reader as never },
    );
    await outcome;
    expect(reads).toEqual([handle]);
  });

  it('hands images of other hosts to the sketch, each loaded once, and records what they were', async () => {
    loads.length = 0;
    const url = 'https://example.com/a.png';
    const code = `let a, b; function preload() { a = loadImage('a.png'); b = loadImage('b/c.png'); }
      function draw() { console.log(a.width + b.width); }`;
    const { outcome, logs } = run({ code, assets: { 'a.png': url, 'b/c.png': url, 'd.png': { url, sha256: DIGEST } } });
    expect(await outcome).toMatchObject({ fetched: [{ url, sha256: DIGEST }, { url, sha256: DIGEST }] });
    expect([logs, loads]).toEqual([['2'], [url, url]]);
  });

  it.each([
    ['IMAGE_NOT_LOADED', false, 'https://example.com/away.png'],
    ['IMAGE_NOT_LOADED', true, 'https://example.com/gone.png'],
    ['IMAGE_CHANGED', true, { url: 'https://example.com/a.png', sha256: 'a'.repeat(64) }],
  ])('fails with %s, for good: %s, where an image is %j', async (code, permanent, image) => {
    await expect(run({ code: 'function draw() {}', assets: { 'a.png': image } }).outcome).rejects.toMatchObject({
      name: 'NodeError', code, permanent, message: expect.stringMatching(/^assets\.a\.png: The /),
    });
  });

  it('refuses assets of more than 128 MB together before it reads them all', async () => {
    const large = (id: string) => new AssetHandle({ ...handle, id, size: 70 * 1024 ** 2 });
    const assets = { 'a.svg': large('a'), 'again.svg': large('a'), 'b.svg': large('b') } as never;
    await expect(run({ code: 'function draw() {}', assets }).outcome).rejects.toMatchObject({
      name: 'NodeError', permanent: true, message: expect.stringContaining('128 MB'),
    });
  });

  it.each([
    ['SKETCH_ERROR', 'function setup() {\n  missing(); }', 'sketch.js:2'],
    ['SKETCH_TIME_LIMIT', 'function setup() { while (true); }', '300 ms'],
    ['SKETCH_NO_CANVAS', 'console.log("no")', 'without a canvas'],
  ])('fails for good with %s', async (code, sketch, message) => {
    await expect(run({ code: sketch, time_limit_ms: 300 }).outcome).rejects.toMatchObject({
      name: 'NodeError', code, permanent: true, message: expect.stringContaining(message),
    });
  });

  it('stops when the signal aborts', async () => {
    const signal = AbortSignal.timeout(300);
    await expect(run({ code: 'function draw() { while (true); }' }, { signal }).outcome).rejects.toThrow('timeout');
  });

  it('fills in defaults', () => {
    expect(checkPayload(node, { code: 'x' }).payload).toMatchObject({
      width: 1024, height: 1024, pixel_density: 1,
      format: 'png', renderer: '2D', p5_version: '1', time_limit_ms: 30_000,
    });
  });

  it.each([
    [{}, 'code'],
    [{ code: 'x', files: { 'index.html': 'y' } }, 'files'],
    [{ files: { 'sketch.js': 'x' } }, 'files'],
    [{ files: { 'index.html': 'x', '../up.js': 'y' } }, 'files'],
    [{ code: 'x', width: 4097 }, 'width'],
    [{ code: 'x', width: 4096, height: 4096, pixel_density: 2 }, 'width'],
    [{ code: 'x', format: 'gif' }, 'format'],
    [{ code: 'x', assets: { 'a.png': 'https://inside.test/a.png' } }, 'assets.a.png'],
    [{ code: 'x', assets: { 'a.png': 'ftp://example.com/a.png' } }, 'assets.a.png'],
    [{ code: 'x', assets: { 'a.png': { url: 'https://example.com/a.png', sha256: 'x' } } }, 'assets.a.png'],
    [{ code: 'x', assets: { 'a.png': { url: 'https://example.com/a.png', as: 'b' } } }, 'assets.a.png'],
    [{ code: 'x', speed: 1 }, 'speed'],
  ])('refuses %j and names %s', (payload, path) => {
    expect(faultsOf(payload as JsonObject)).toContainEqual(expect.objectContaining({ path }));
  });

  it('takes references and URLs for assets', () => {
    const url = 'https://example.com/a.png';
    const assets = { 'a.png': { $ref: 'step' }, 'b.png': '{{$ref:step}}', 'c.png': url, 'd.png': { url, sha256: DIGEST } };
    expect(faultsOf({ code: 'x', assets })).toEqual([]);
  });
});
