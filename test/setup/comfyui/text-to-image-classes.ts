import { createHash } from 'node:crypto';
import type { NodeClass, Picture } from './node-classes.js';

const SAMPLERS = ['euler', 'euler_ancestral', 'dpmpp_2m', 'ddim'];
const SCHEDULERS = ['normal', 'karras', 'simple'];
const text = ['STRING', { multiline: true }];
const number = (kind: 'INT' | 'FLOAT', initial: number, min: number, max: number) => [kind, { default: initial, min, max }];

/** The classes of a plain graph from words to an image. What comes of it is one colour: that of its seed and its words. */
export const textToImageClasses: Record<string, NodeClass> = {
  CLIPTextEncode: {
    required: { text, clip: ['CLIP', {}] },
    run: async ({ text: words }) => ({ result: words }),
  },
  EmptyLatentImage: {
    required: {
      width: number('INT', 512, 16, 16_384), height: number('INT', 512, 16, 16_384), batch_size: number('INT', 1, 1, 4_096),
    },
    run: async ({ width, height }) => ({ result: { width, height, color: 0 } }),
  },
  KSampler: {
    required: {
      model: ['MODEL', {}], positive: ['CONDITIONING', {}], negative: ['CONDITIONING', {}], latent_image: ['LATENT', {}],
      seed: number('INT', 0, 0, 2 ** 64), steps: number('INT', 20, 1, 10_000), cfg: number('FLOAT', 8, 0, 100),
      sampler_name: [SAMPLERS, {}], scheduler: [SCHEDULERS, {}], denoise: number('FLOAT', 1, 0, 1),
    },
    run: async ({ latent_image: latent, seed, positive, steps }, { progress }) => {
      for (let step = 1; step <= Number(steps); step++) progress(step, Number(steps));
      const digest = createHash('sha256').update(`${String(seed)} ${String(positive)}`).digest();
      return { result: { ...(latent as Picture), color: digest.readUIntBE(0, 3) } };
    },
  },
  VAEDecode: {
    required: { samples: ['LATENT', {}], vae: ['VAE', {}] },
    run: async ({ samples }) => ({ result: samples }),
  },
};
