import type { JsonObject } from '#libs/instruction-set/instruction-set.js';

/** What an image model calls its inputs. */
interface InputNames {
  images: string;
  /** Whether it takes a list of images; else it takes one. */
  takesList: boolean;
  aspectRatio: string;
}

export const DEFAULT_MODEL = 'google/nano-banana';
/** As its owner names it at Replicate, with or without a version. */
export const MODEL_NAME = /^[A-Za-z0-9][\w.-]{0,99}\/[A-Za-z0-9][\w.-]{0,99}(:[0-9a-f]{64})?$/;

/** Most of them; source: the models' pages at replicate.com. */
const USUAL: InputNames = { images: 'image_input', takesList: true, aspectRatio: 'aspect_ratio' };
const OTHERS: Record<string, Partial<InputNames>> = {
  'black-forest-labs/flux-dev': { images: 'image', takesList: false },
  'black-forest-labs/flux-kontext-max': { images: 'input_image', takesList: false },
  'black-forest-labs/flux-kontext-pro': { images: 'input_image', takesList: false },
  'qwen/qwen-image-edit': { images: 'image', takesList: false },
};

export interface ImageInput {
  prompt: string;
  /** URLs, of `/files` or of the web. */
  images: string[];
  aspectRatio?: string;
  /** The model's own; they do not replace the ones above. */
  parameters: JsonObject;
}

/** An input as the model takes it. */
export function inputOf(model: string, { prompt, images, aspectRatio, parameters }: ImageInput): JsonObject {
  const names = namesOf(model);
  return {
    ...parameters,
    prompt,
    ...(images.length > 0 && { [names.images]: names.takesList ? images : (images[0] as string) }),
    ...(aspectRatio !== undefined && { [names.aspectRatio]: aspectRatio }),
  };
}

/** How many images a model takes. */
export const imagesTaken = (model: string): number => (namesOf(model).takesList ? Infinity : 1);

/** Of a submission with more. */
export const tooManyImages = (model: string): string => `must be left out: ${model} takes one image`;

const namesOf = (model: string): InputNames => ({ ...USUAL, ...OTHERS[model.split(':')[0] as string] });
