import type { RemoteImages } from '#libs/outbound/remote-images.js';
import type { Sketch } from '#libs/sandbox/sketch-renderer.js';
import type { JsonSchema, NodeContext } from '../node.js';
import { assetFaults, type SketchAsset } from './assets.js';

/** What every step takes that runs a sketch, whatever it keeps of it. */
export interface SketchPayload {
  code?: string;
  files?: Record<string, string>;
  width: number;
  height: number;
  pixel_density: number;
  renderer: Sketch['renderer'];
  p5_version: Sketch['p5Version'];
  assets: Record<string, SketchAsset>;
  time_limit_ms: number;
}

export type PayloadFault = { path: string; message: string };

const MAX_SIDE = 4096;
const MAX_PIXELS = 40_000_000;
const MAX_SOURCE_CHARACTERS = 4_000_000;
const SIDE = { type: 'integer', minimum: 1, maximum: MAX_SIDE, default: 1024 };
const SOURCE = { type: 'string', minLength: 1, maxLength: MAX_SOURCE_CHARACTERS };
const PATH = { type: 'string', pattern: '^(?!.*(^|/)\\.\\.(/|$))[^\\\\?#]{1,200}$' };

export const SKETCH_PROPERTIES: Record<Exclude<keyof SketchPayload, 'time_limit_ms'>, JsonSchema> = {
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
};

/** What is wrong with a sketch's payload beyond its schema. */
export const sketchFaults = (payload: SketchPayload, images: RemoteImages): PayloadFault[] => [
  ...sourceFaults(payload),
  ...sizeFaults(payload),
  ...assetFaults(payload.assets, images),
];

function sourceFaults({ code, files }: SketchPayload): PayloadFault[] {
  if (code !== undefined && files !== undefined) return [{ path: 'files', message: 'cannot go together with code' }];
  if (code === undefined && files === undefined) return [{ path: 'code', message: 'or files is required' }];
  if (files && !('index.html' in files)) return [{ path: 'files', message: 'must have an index.html' }];
  return [];
}

function sizeFaults({ width, height, pixel_density: density }: SketchPayload): PayloadFault[] {
  const pixels = width * height * density ** 2;
  // NaN while a size is still a `{{variable}}`: the payload is checked again before it runs.
  if (!(pixels > MAX_PIXELS)) return [];
  return [{ path: 'width', message: 'times height and pixel_density is more than 40 megapixels' }];
}

/** The sketch of a step, with its images loaded. */
export function sketchOf(context: NodeContext<SketchPayload>, assets: Sketch['assets']): Sketch {
  const { payload, hash, variables, edition, signal } = context;
  return {
    source: payload.files ? { files: payload.files } : { code: payload.code ?? '' },
    hash,
    variables: { ...variables },
    width: payload.width,
    height: payload.height,
    pixelDensity: payload.pixel_density,
    renderer: payload.renderer,
    p5Version: payload.p5_version,
    assets,
    timeLimitMs: payload.time_limit_ms,
    isPreview: false,
    ...(edition.of > 1 && { job: edition.jobId }),
    signal,
    onStart: () => context.startClock(),
    onProgress: (fraction) => context.progress(fraction),
  };
}
