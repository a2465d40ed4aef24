import type { RemoteImages } from '#libs/outbound/remote-images.js';
import type { SketchRenderer, SketchRun } from '#libs/sandbox/sketch-renderer.js';
import { defineNode, type JsonSchema } from './node.js';
import { SketchAssets } from './sketches/assets.js';
import { logged, traitsOf } from './sketches/outcome.js';
import { SKETCH_PROPERTIES, sketchFaults, sketchOf, type SketchPayload } from './sketches/payload.js';

interface P5Payload extends SketchPayload {
  format: SketchRun['format'];
}

const DEFAULT_TIME_LIMIT_MS = 30_000;

const PAYLOAD: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...SKETCH_PROPERTIES,
    format: { enum: ['png', 'jpeg', 'webp'], default: 'png' },
    time_limit_ms: { type: 'integer', minimum: 100, maximum: 600_000, default: DEFAULT_TIME_LIMIT_MS },
  },
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
    takesTurns: true,
    check: (payload) => sketchFaults(payload, images),
    async run(context) {
      const { format, assets: wanted } = context.payload;
      const assets = new SketchAssets(context.assets, images, context.signal);
      const sketch = sketchOf(context, await assets.load(wanted));
      const image = await logged(context, sketches.render({ ...sketch, format }));
      const name = `sketch.${format === 'jpeg' ? 'jpg' : format}`;
      const { fetched } = assets;
      const { bytes, madeWith } = image;
      return { kind: 'done', assets: [{ name, bytes }], traits: traitsOf(image), fetched, madeWith };
    },
  });
