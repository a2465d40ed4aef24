import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { deflateSync } from 'node:zlib';
import type { StoredFiles } from './stored-files.js';
import { textToImageClasses } from './text-to-image-classes.js';

export interface GraphNode {
  class_type: string;
  inputs: Record<string, unknown>;
}
export type Graph = Record<string, GraphNode>;

/** A picture on its way through a graph: one colour. */
export interface Picture {
  width: number;
  height: number;
  color: number;
}

/** What a node that runs may do to its server. */
export interface NodeWorld {
  files: StoredFiles;
  progress(value: number, max: number): void;
  /** An image over the websocket. */
  sendImage(bytes: Buffer): void;
  /** Aborts when the prompt is interrupted or the server killed. */
  signal: AbortSignal;
}

export interface NodeClass {
  /** As `/object_info` says it: `[type or choices, options]`. */
  required: Record<string, unknown[]>;
  isOutput?: true;
  run(inputs: Record<string, unknown>, world: NodeWorld): Promise<{ result?: unknown; ui?: Record<string, unknown> }>;
}

const pictures = ['IMAGE', { tooltip: 'The images to save.' }];
const integer = (initial: number, min: number, max: number) => ['INT', { default: initial, min, max, step: 1 }];
const text = ['STRING', { default: '' }];
/** The head of a WebM file, by which it is known. */
const WEBM = Buffer.from('1a45dfa39f4286810142f7810142f2810442f381084282847765626d4287810242858102', 'hex');

/** `models`: what the server's folders hold, for the classes that load from them. */
export const nodeClasses = (models: Record<string, string[]>): Record<string, NodeClass> => ({
  ...textToImageClasses,
  EmptyImage: {
    required: {
      width: integer(512, 1, 16_384), height: integer(512, 1, 16_384), batch_size: integer(1, 1, 4_096),
      color: integer(0, 0, 16_777_215),
    },
    run: async ({ width, height, color }) => ({ result: { width, height, color } }),
  },
  LoadImage: {
    required: { image: text },
    run: async ({ image }, { files }) => {
      const digest = createHash('sha256').update(files.read(`input/${String(image)}`)).digest();
      return { result: { width: 8, height: 8, color: digest.readUIntBE(0, 3) } };
    },
  },
  CheckpointLoaderSimple: {
    required: { ckpt_name: [models['checkpoints'] ?? [], {}] },
    run: async () => ({ result: { width: 8, height: 8, color: 1 } }),
  },
  TestSleep: {
    required: { value: pictures, seconds: ['FLOAT', { default: 1, min: 0, max: 9_999 }] },
    run: async ({ value, seconds }, { progress, signal }) => {
      const steps = Math.max(1, Math.round(Number(seconds) * 20));
      for (let step = 1; step <= steps; step++) {
        await sleep((Number(seconds) * 1_000) / steps, undefined, { signal });
        progress((step / steps) * Number(seconds), Number(seconds));
      }
      return { result: value };
    },
  },
  TestSyncError: {
    required: { value: pictures },
    run: async () => {
      throw new Error('Intentional sync execution error for testing\n');
    },
  },
  SaveImage: saver('images', 'output', (picture) => png(picture as Picture), 'png'),
  PreviewImage: { ...saver('images', 'temp', (picture) => png(picture as Picture), 'png'), required: { images: pictures } },
  VHS_VideoCombine: saver('gifs', 'output', () => WEBM, 'webm'),
  SaveAudio: saver('audio', 'output', () => Buffer.from('fLaC\0\0\0\x22'), 'flac'),
  PreviewAny: {
    required: { source: text },
    isOutput: true,
    run: async ({ source }) => ({ ui: { text: [String(source)] } }),
  },
  SaveImageWebsocket: {
    required: { images: pictures },
    isOutput: true,
    run: async ({ images }, { progress, sendImage }) => {
      progress(0, 1);
      sendImage(png(images as Picture));
      return {};
    },
  },
});

function saver(
  key: string,
  folder: 'output' | 'temp',
  encode: (value: unknown) => Buffer,
  extension: string,
): NodeClass {
  return {
    required: { images: pictures, filename_prefix: ['STRING', { default: 'ComfyUI' }] },
    isOutput: true,
    run: async ({ images, filename_prefix: prefix = 'ComfyUI_temp' }, { files }) => {
      const item = files.save(folder, String(prefix), extension, encode(images));
      return { ui: { [key]: [item], ...(key === 'gifs' && { animated: [true] }) } };
    },
  };
}

/** A PNG of one colour. */
export function png({ width, height, color }: Picture): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const row = Buffer.concat([Buffer.of(0), Buffer.alloc(width * 3, Buffer.of(color >> 16, (color >> 8) & 255, color & 255))]);
  const pixels = deflateSync(Buffer.concat(Array.from({ length: height }, () => row)));
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
