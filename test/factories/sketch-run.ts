import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { ChromiumSketchRenderer } from '#libs/sandbox/chromium/chromium-sketch-renderer.js';
import type { SketchImage, SketchRun } from '#libs/sandbox/sketch-renderer.js';

/** fxhash's first three numbers for it are known (`VECTORS`). */
export const HASH = 'oo123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQ';
export const OTHER_HASHES = [
  'ooABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz',
  '0x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff',
];

/** A 64 x 64 run of `code`, or of a folder, with anything else changed. */
export function sketchRun(source: string | Record<string, string>, changes: Partial<SketchRun> = {}): SketchRun {
  return {
    source: typeof source === 'string' ? { code: source } : { files: source },
    hash: HASH,
    variables: {},
    width: 64,
    height: 64,
    pixelDensity: 1,
    renderer: '2D',
    p5Version: '1',
    format: 'png',
    assets: {},
    timeLimitMs: 10_000,
    isPreview: false,
    ...changes,
  };
}

/** Where the browser is unpacked once for all tests and for a local installation. */
export const testCache = resolve('.platen', 'chromium');

export const testRenderer = ({ concurrency = 2 } = {}) =>
  new ChromiumSketchRenderer({ cacheDirectory: testCache, allowUnsandboxed: false, concurrency });

export const sha256 = (image: SketchImage): string => createHash('sha256').update(image.bytes).digest('hex');
