import type { JsonObject } from '#libs/instruction-set/instruction-set.js';

/** One render of a sketch. */
export interface SketchRun {
  /** A p5 program (global or instance mode), or a folder with an `index.html`. */
  source: { code: string } | { files: Record<string, string> };
  hash: string;
  variables: JsonObject;
  /** The window, in CSS pixels; the sketch's own `createCanvas` wins. */
  width: number;
  height: number;
  pixelDensity: number;
  renderer: '2D' | 'WEBGL';
  p5Version: '1' | '2';
  format: 'png' | 'jpeg' | 'webp';
  /** Images the sketch may load, by the path it loads them from. */
  assets: Record<string, { bytes: Uint8Array; mimeType: string }>;
  timeLimitMs: number;
  isPreview: boolean;
  signal?: AbortSignal;
  onProgress?(fraction: number): void;
}

export interface SketchImage {
  bytes: Uint8Array;
  mimeType: string;
  width: number;
  height: number;
  /** What `$fx.features(…)` or `window.$fxhashFeatures` said. */
  features: Record<string, string | number | boolean>;
  /** The last 100 lines of the console. */
  logs: string[];
}

/** The sketch failed. `permanent` is false when the browser died under it, so that another try may help. */
export class SketchError extends Error {
  constructor(
    readonly reason: 'error' | 'time_limit' | 'no_canvas' | 'browser' | 'unsandboxed',
    message: string,
    readonly permanent: boolean,
    readonly logs: string[] = [],
  ) {
    super(message);
    this.name = 'SketchError';
  }
}

/** Renders sketches in a locked-down browser: same run, same bytes. */
export abstract class SketchRenderer {
  abstract render(sketch: SketchRun): Promise<SketchImage>;
  abstract close(): Promise<void>;
}
