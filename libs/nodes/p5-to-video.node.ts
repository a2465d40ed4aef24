import type { RemoteImages } from '#libs/outbound/remote-images.js';
import type { SketchRenderer, VideoCodec, VideoFormat, VideoSettings } from '#libs/sandbox/sketch-renderer.js';
import { defineNode, type JsonSchema, type NodeContext } from './node.js';
import { SketchAssets } from './sketches/assets.js';
import { logged, traitsOf } from './sketches/outcome.js';
import {
  SKETCH_PROPERTIES, sketchFaults, sketchOf, type PayloadFault, type SketchPayload,
} from './sketches/payload.js';

interface VideoPayload extends SketchPayload {
  frames?: number;
  duration?: number;
  fps: number;
  format: VideoFormat;
  codec?: VideoCodec;
}

/** Codecs by format, the usual one first. GIF is its own. */
const CODECS: Record<VideoFormat, VideoCodec[]> = { webm: ['vp9', 'av1'], mp4: ['h264', 'av1'], gif: [] };
const MAX_FRAMES = 18_000;
const MAX_FPS = 60;
/** GIF counts in hundredths of a second, and players slow down a picture that lasts only one. */
const MAX_GIF_FPS = 50;
const DEFAULT_TIME_LIMIT_MS = 600_000;

const PAYLOAD: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...SKETCH_PROPERTIES,
    /** How long the video is, in pictures or in seconds: one of the two. */
    frames: { type: 'integer', minimum: 1, maximum: MAX_FRAMES },
    duration: { type: 'number', exclusiveMinimum: 0, maximum: MAX_FRAMES },
    /** Pictures a second. One frame of the sketch's clock lasts as long as one picture. */
    fps: { type: 'integer', minimum: 1, maximum: MAX_FPS, default: 30 },
    format: { enum: Object.keys(CODECS), default: 'webm' },
    /** VP9 or AV1 in WebM, H.264 or AV1 in MP4. */
    codec: { enum: ['vp9', 'av1', 'h264'] },
    time_limit_ms: { type: 'integer', minimum: 100, maximum: 3_600_000, default: DEFAULT_TIME_LIMIT_MS },
  },
};

/**
 * Runs a p5.js or plain canvas sketch and records its canvas, one picture a frame of its clock from the first
 * that it draws. The same sketch, hash, variables and assets give the same bytes. `noLoop()` leaves the picture
 * standing, `capture()` does nothing. Otherwise as `p5`.
 */
export const p5ToVideoNode = (sketches: SketchRenderer, images: RemoteImages) =>
  defineNode<VideoPayload>({
    name: 'p5_to_video',
    aliases: ['p5toVid', 'p52vid'],
    title: 'Video of a p5.js sketch',
    lane: 'chromium',
    payload: PAYLOAD,
    timeLimitMs: DEFAULT_TIME_LIMIT_MS,
    takesTurns: true,
    check: (payload) => [...sketchFaults(payload, images), ...lengthFaults(payload), ...formatFaults(payload)],
    async run(context) {
      const assets = new SketchAssets(context.assets, images, context.signal);
      const sketch = sketchOf(context, await assets.load(context.payload.assets));
      const video = settingsOf(context.payload);
      const onProgress = (fraction: number) => tell(context, fraction, video);
      const recorded = await logged(context, sketches.record({ ...sketch, video, onProgress }));
      const { bytes, width, height, duration, madeWith } = recorded;
      const produced = { name: `sketch.${video.format}`, bytes, width, height, duration };
      return { kind: 'done', assets: [produced], traits: traitsOf(recorded), fetched: assets.fetched, madeWith };
    },
  });

function tell(context: NodeContext<VideoPayload>, fraction: number, { frames }: VideoSettings): void {
  context.progress(fraction, `frame ${Math.round(fraction * frames)} of ${frames}`);
}

const frameCount = ({ frames, duration = NaN, fps }: VideoPayload): number =>
  frames ?? Math.max(1, Math.round(duration * fps));

const settingsOf = (payload: VideoPayload): VideoSettings => ({
  format: payload.format,
  codec: payload.codec ?? CODECS[payload.format][0] ?? 'vp9',
  frames: frameCount(payload),
  fps: payload.fps,
});

function lengthFaults(payload: VideoPayload): PayloadFault[] {
  const { frames, duration } = payload;
  if (frames !== undefined && duration !== undefined) {
    return [{ path: 'duration', message: 'cannot go together with frames' }];
  }
  if (frames === undefined && duration === undefined) return [{ path: 'frames', message: 'or duration is required' }];
  // NaN while one of them is still a `{{variable}}`: the payload is checked again before it runs.
  if (!(frameCount(payload) > MAX_FRAMES)) return [];
  return [{ path: 'duration', message: `times fps is more than ${MAX_FRAMES} frames` }];
}

function formatFaults({ format, codec, fps }: VideoPayload): PayloadFault[] {
  const codecs = CODECS[format];
  // A `{{variable}}` is no format yet.
  if (!codecs) return [];
  if (codec !== undefined && !codecs.includes(codec)) {
    const message = codecs.length > 0 ? `of ${format} must be ${codecs.join(' or ')}` : `is not for ${format}`;
    return [{ path: 'codec', message }];
  }
  if (format === 'gif' && fps > MAX_GIF_FPS) return [{ path: 'fps', message: `of gif must be <= ${MAX_GIF_FPS}` }];
  return [];
}
