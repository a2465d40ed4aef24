import type { RemoteImages } from '#libs/outbound/remote-images.js';
import {
  SketchError, type SketchImage, type SketchRenderer, type SketchRun,
} from '#libs/sandbox/sketch-renderer.js';
import { defineNode, NodeError, type JsonSchema, type NodeContext, type Trait } from './node.js';
import { assetFaults, SketchAssets, type SketchAsset } from './sketch-assets.js';

interface P5Payload {
  code?: string;
  files?: Record<string, string>;
  width: number;
  height: number;
  pixel_density: number;
  format: SketchRun['format'];
  renderer: SketchRun['renderer'];
  p5_version: SketchRun['p5Version'];
  assets: Record<string, SketchAsset>;
  time_limit_ms: number;
}

const MAX_SIDE = 4096;
const MAX_PIXELS = 40_000_000;
const MAX_SOURCE_CHARACTERS = 4_000_000;
const MAX_TRAITS = 100;
const DEFAULT_TIME_LIMIT_MS = 30_000;
const SIDE = { type: 'integer', minimum: 1, maximum: MAX_SIDE, default: 1024 };
const SOURCE = { type: 'string', minLength: 1, maxLength: MAX_SOURCE_CHARACTERS };
const PATH = { type: 'string', pattern: '^(?!.*(^|/)\\.\\.(/|$))[^\\\\?#]{1,200}$' };

const PAYLOAD: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    /** A p5 program, in global or instance mode. */
    code: { ...SOURCE, verbatim: true },
    /** A folder, `{ path: text }`, with an `index.html`. */
    files: {
      type: 'object',
      verbatim: true,
      maxProperties: 200,
      propertyNames: PATH,
      additionalProperties: { type: 'string', maxLength: MAX_SOURCE_CHARACTERS },
    },
    /** The window, in CSS pixels. A canvas that the sketch makes itself keeps its own size. */
    width: SIDE,
    height: SIDE,
    pixel_density: { type: 'integer', minimum: 1, maximum: 4, default: 1 },
    format: { enum: ['png', 'jpeg', 'webp'], default: 'png' },
    /** What `createCanvas(width, height)` makes when the sketch does not say. */
    renderer: { enum: ['2D', 'WEBGL'], default: '2D' },
    /** 1 has `preload`, 2 an async `setup`. */
    p5_version: { enum: ['1', '2'], default: '1' },
    /**
     * Images, by the path the sketch loads them from: a reference, an asset's id or `/files` URL, the URL of
     * another host, or `{ url, sha256 }` where no other bytes are taken than these.
     */
    assets: {
      type: 'object',
      maxProperties: 50,
      propertyNames: PATH,
      additionalProperties: { asset: true },
      default: {},
    },
    time_limit_ms: { type: 'integer', minimum: 100, maximum: 600_000, default: DEFAULT_TIME_LIMIT_MS },
  },
};

const CODES: Record<SketchError['reason'], string> = {
  error: 'SKETCH_ERROR',
  time_limit: 'SKETCH_TIME_LIMIT',
  no_canvas: 'SKETCH_NO_CANVAS',
  browser: 'SKETCH_BROWSER_LOST',
  unsandboxed: 'SANDBOX_UNAVAILABLE',
};

/**
 * Draws a p5.js or plain canvas sketch and keeps its canvas as an image. The same sketch, hash, variables
 * and assets give the same bytes. Images of other hosts are loaded here, not by the browser, and their digests
 * recorded: what such a host gives another time is not in our hands. What `$fx.features(…)` or
 * `$fxhashFeatures` says becomes traits.
 */
export const p5Node = (sketches: SketchRenderer, images: RemoteImages) =>
  defineNode<P5Payload>({
    name: 'p5',
    aliases: ['p5.js'],
    title: 'p5.js sketch',
    lane: 'chromium',
    payload: PAYLOAD,
    timeLimitMs: DEFAULT_TIME_LIMIT_MS,
    check: (payload) => [...sourceFaults(payload), ...sizeFaults(payload), ...assetFaults(payload.assets, images)],
    async run(context) {
      const assets = new SketchAssets(context.assets, images, context.signal);
      const loaded = await assets.load(context.payload.assets);
      const image = await sketches.render(sketchOf(context, loaded)).catch((failure: unknown) => {
        throw faultOf(failure, context);
      });
      image.logs.forEach((line) => context.log(line));
      const name = `sketch.${context.payload.format === 'jpeg' ? 'jpg' : context.payload.format}`;
      const { fetched } = assets;
      return { kind: 'done', assets: [{ name, bytes: image.bytes }], traits: traitsOf(image), fetched };
    },
  });

type Fault = { path: string; message: string };

function sourceFaults({ code, files }: P5Payload): Fault[] {
  if (code !== undefined && files !== undefined) return [{ path: 'files', message: 'cannot go together with code' }];
  if (code === undefined && files === undefined) return [{ path: 'code', message: 'or files is required' }];
  if (files && !('index.html' in files)) return [{ path: 'files', message: 'must have an index.html' }];
  return [];
}

function sizeFaults({ width, height, pixel_density: density }: P5Payload): Fault[] {
  const pixels = width * height * density ** 2;
  // NaN while a size is still a `{{variable}}`: the payload is checked again before it runs.
  if (!(pixels > MAX_PIXELS)) return [];
  return [{ path: 'width', message: 'times height and pixel_density is more than 40 megapixels' }];
}

function sketchOf(context: NodeContext<P5Payload>, assets: SketchRun['assets']): SketchRun {
  const { payload, hash, variables, signal } = context;
  return {
    source: payload.files ? { files: payload.files } : { code: payload.code ?? '' },
    hash,
    variables: { ...variables },
    width: payload.width,
    height: payload.height,
    pixelDensity: payload.pixel_density,
    renderer: payload.renderer,
    p5Version: payload.p5_version,
    format: payload.format,
    assets,
    timeLimitMs: payload.time_limit_ms,
    isPreview: false,
    signal,
    onProgress: (fraction) => context.progress(fraction),
  };
}

const traitsOf = ({ features }: SketchImage): Trait[] =>
  Object.entries(features)
    .slice(0, MAX_TRAITS)
    .map(([trait_type, value]) => ({ trait_type, value }));

function faultOf(failure: unknown, context: NodeContext<P5Payload>): unknown {
  if (!(failure instanceof SketchError)) return failure;
  failure.logs.forEach((line) => context.log(line));
  return new NodeError(CODES[failure.reason], failure.message, failure.permanent);
}
