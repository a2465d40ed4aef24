import 'reflect-metadata';
import { join, resolve } from 'node:path';
import { v7 as uuid } from 'uuid';
import { AssetFiles } from '#libs/assets/asset-files.js';
import { Spool } from '#libs/assets/spool.js';
import { loadEnvironment } from '#libs/config/environment.js';
import { ChromiumSketchRenderer } from '#libs/sandbox/chromium/chromium-sketch-renderer.js';
import type { VideoSettings } from '#libs/sandbox/sketch-renderer.js';
import { createStorage } from '#libs/storage/index.js';
import { given, serveBench } from './child.js';

export interface VideoRequest extends VideoSettings {
  code: string;
  width: number;
  height: number;
}

export interface VideoReply {
  size: number;
  sha256: string;
  seconds: number;
}

/** What a worker does with the video of a sketch, without the step. */
const storage = await createStorage(loadEnvironment(process.env));
const files = new AssetFiles(storage, new Spool(join(given('PLATEN_HOME'), 'spool')), { maxBytes: Infinity });
const cacheDirectory = resolve('.platen', 'chromium');
const renderer = new ChromiumSketchRenderer({ cacheDirectory, allowUnsandboxed: false });

async function record({ code, width, height, ...video }: VideoRequest): Promise<VideoReply> {
  const begun = performance.now();
  const recorded = await renderer.record({
    source: { code }, hash: 'oo123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQ', variables: {}, width, height,
    pixelDensity: 1, renderer: '2D', p5Version: '1', assets: {}, timeLimitMs: 3_600_000, isPreview: false, video,
  });
  const slot = { userId: uuid(), jobId: uuid(), generationId: uuid(), stepId: '1', index: 0 };
  const signal = new AbortController().signal;
  const { size, sha256 } = await files.store(slot, { name: `video.${video.format}`, ...recorded }, signal);
  return { size, sha256, seconds: (performance.now() - begun) / 1_000 };
}

serveBench('video', record);
