import { join } from 'node:path';
import type { VideoCodec, VideoFormat } from '#libs/sandbox/sketch-renderer.js';
import { Bench, type BenchOptions } from './bench.js';
import type { BenchProcess } from './bench-process.js';
import type { VideoReply, VideoRequest } from './video-memory-worker.js';

const SAMPLE_EVERY_MS = 50;
/** What goes through first, and is not measured: code is compiled, the browser's files are read. */
const WARM_UP_FRAMES = 30;
const KINDS: Array<[VideoFormat, VideoCodec]> = [['webm', 'vp9'], ['webm', 'av1'], ['mp4', 'h264'], ['gif', 'vp9']];

/** Much that moves and does not compress well. */
const CODE = `
  function setup() { createCanvas(windowWidth, windowHeight); noStroke(); }
  function draw() {
    background(12, 16, 28, 40);
    for (let i = 0; i < 400; i++) {
      const angle = noise(i, frameCount / 90) * TWO_PI * 4;
      fill(128 + 127 * sin(i), 80 + (i % 150), 200, 160);
      circle(width / 2 + cos(angle) * i * 2.4, height / 2 + sin(angle) * i * 1.3, 6 + (i % 24));
    }
  }`;

export interface VideoFigure extends VideoReply {
  kind: string;
  /** By how much the worker grew at most, MiB. The browser's processes are not the worker. */
  growth: number;
  /** The most that the worker's browsers had, MiB. */
  browser: number;
}

/** Memory that a worker needs for videos of sketches. */
export async function measureVideoMemory(bench: Bench, frames: number, kinds = KINDS): Promise<VideoFigure[]> {
  const home = { PLATEN_HOME: join(bench.folder, 'worker-video'), STORAGE_DRIVER: 'local' };
  const worker = await bench.startScript('video-memory-worker.ts', home);
  const figures: VideoFigure[] = [];
  for (const [format, codec] of kinds) {
    const request: VideoRequest = { format, codec, frames: WARM_UP_FRAMES, fps: 30, code: CODE, width: 1920, height: 1080 };
    await worker.ask(request);
    figures.push({ kind: format === 'gif' ? format : `${format} ${codec}`, ...(await grow(worker, { ...request, frames })) });
  }
  return figures;
}

async function grow(worker: BenchProcess, request: VideoRequest): Promise<Omit<VideoFigure, 'kind'>> {
  const before = worker.memory();
  let most = before;
  let browser = 0;
  const sampling = setInterval(() => {
    most = Math.max(most, worker.memory());
    browser = Math.max(browser, worker.memoryBelow());
  }, SAMPLE_EVERY_MS);
  try {
    const reply = await worker.ask<VideoReply>(request);
    return { ...reply, growth: most - before, browser };
  } finally {
    clearInterval(sampling);
  }
}

/** By hand: `node --import ./test/setup/typescript.mjs test/bench/video-memory.ts [frames] [webm|mp4|gif …]`. */
if (import.meta.filename === process.argv[1]) {
  const [frames = '600', ...formats] = process.argv.slice(2);
  const kinds = KINDS.filter(([format]) => formats.length === 0 || formats.includes(format));
  const options: BenchOptions = { scale: 'full', rounds: 1, say: () => undefined };
  const figures = await Bench.during(options, (bench) => measureVideoMemory(bench, Number(frames), kinds));
  for (const { kind, growth, browser, size, seconds, sha256 } of figures) {
    const memory = `worker +${growth.toFixed(0)} MiB, browser ${browser.toFixed(0)} MiB`;
    const video = `${(size / 1024 ** 2).toFixed(1)} MiB in ${seconds.toFixed(1)} s, ${sha256.slice(0, 12)}`;
    process.stdout.write(`${frames} frames of ${kind}: ${memory}; ${video}\n`);
  }
  process.exit();
}
