import type { Readable } from 'node:stream';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';

/** A sketch and what it runs with, whatever is kept of it. */
export interface Sketch {
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
  /** Images the sketch may load, by the path it loads them from. */
  assets: Record<string, { bytes: Uint8Array; mimeType: string }>;
  timeLimitMs: number;
  isPreview: boolean;
  /** Renders of one job may follow each other in one browser context. Absent: it gets a context of its own. */
  job?: string;
  signal?: AbortSignal;
  /** Called when it starts, after its turn has come, and when it is started again. Its time counts from then on. */
  onStart?(): void;
  onProgress?(fraction: number): void;
}

/** One render of a sketch. */
export interface SketchRun extends Sketch {
  format: 'png' | 'jpeg' | 'webp';
}

export type VideoFormat = 'webm' | 'mp4' | 'gif';
export type VideoCodec = 'vp9' | 'av1' | 'h264';

export interface VideoSettings {
  format: VideoFormat;
  /** Ignored by GIF, which has its own. */
  codec: VideoCodec;
  frames: number;
  /** Pictures a second. A frame of the sketch's clock takes 1000 / fps ms. */
  fps: number;
}

/** One recording of a sketch. */
export interface VideoRun extends Sketch {
  video: VideoSettings;
}

/** What a sketch said while it ran. */
export interface SketchWords {
  /** What `$fx.features(…)` or `window.$fxhashFeatures` said. */
  features: Record<string, string | number | boolean>;
  /** The last 100 lines of the console. */
  logs: string[];
  /** Releases of the browser and of p5. */
  madeWith: { chromium: string; p5: string };
}

export interface SketchImage extends SketchWords {
  bytes: Uint8Array;
  mimeType: string;
  width: number;
  height: number;
}

export interface SketchVideo extends SketchWords {
  /** From a file on disk that goes when this has been read or destroyed, or the run's signal aborts. */
  bytes: Readable;
  width: number;
  height: number;
  /** Seconds. */
  duration: number;
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
  abstract record(sketch: VideoRun): Promise<SketchVideo>;
  abstract close(): Promise<void>;
}
