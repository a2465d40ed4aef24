/** Looks of the two-step face, in the words that models are given. */
const STYLES = {
  realistic: 'Photorealistic, with natural light, true materials and believable shadows.',
  artistic: 'Artistic and expressive, with a bold composition and rich colour.',
  minimal: 'Minimal and clean, on a plain background with generous empty space.',
} as const;

const QUALITIES = {
  auto: null,
  high: 'Highest quality: sharp focus, fine detail, no artefacts.',
} as const;

export type Style = keyof typeof STYLES;
export type Quality = keyof typeof QUALITIES;

export const STYLE_NAMES = Object.keys(STYLES) as Style[];
export const QUALITY_NAMES = Object.keys(QUALITIES) as Quality[];

export interface PromptParts {
  /** How many pictures show the product, and how many show who wears or uses it. They are sent in this order. */
  productImages: number;
  modelImages: number;
  style: Style;
  quality: Quality;
  aspectRatio: string;
  /** The user's own wishes. */
  customPrompt?: string;
}

/** The prompt of a two-step generation, for any mix of images. */
export function generateOptimizedPrompt(parts: PromptParts): string {
  const { style, quality, aspectRatio, customPrompt } = parts;
  return [
    subjectOf(parts),
    STYLES[style],
    QUALITIES[quality],
    `Compose for an aspect ratio of ${aspectRatio}.`,
    customPrompt?.trim(),
  ].filter(Boolean).join(' ');
}

function subjectOf({ productImages, modelImages }: PromptParts): string {
  const product = productImages === 1
    ? 'the product in the first image'
    : `the product shown from several sides in the first ${productImages} images`;
  if (modelImages === 0) return `Create a picture of ${product}, keeping its shape, colours and labels exactly.`;
  const model = modelImages === 1 ? 'the person in the last image' : `the people in the last ${modelImages} images`;
  return `Create a picture of ${model} with ${product}, keeping faces, shapes, colours and labels exactly.`;
}
