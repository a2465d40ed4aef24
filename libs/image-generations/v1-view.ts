import { renderIn } from '#libs/assets/asset-key.js';
import type { FileUrls } from '#libs/assets/file-urls.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { ImageGeneration, Render } from './image-generation.js';
import { toldError, type ToldError } from './told-error.js';

export type V1Status = 'starting' | 'processing' | 'succeeded' | 'failed' | 'canceled';

/** A generation as the v1 face shows it. */
export interface V1View {
  id: string;
  /** Null until the provider has taken it. */
  predictionId: string | null;
  status: V1Status;
  settings: V1Settings;
  /** Names the folder of its images; null until there are any. */
  renderId: string | null;
  variants: Array<{ id: string; index: number; url: string; width: number | null; height: number | null }>;
  error: ToldError | null;
  createdAt: string;
  completedAt: string | null;
}

export interface V1Settings {
  model: string;
  mode: string;
  prompt: string;
  aspectRatio: string | null;
  parameters: JsonObject;
  /** The images it is made from, at URLs that last 300 seconds. */
  inputs: string[];
}

export function presentV1(generation: ImageGeneration, urls: FileUrls): V1View {
  const { request, renders, completed_at } = generation;
  const { model, mode = 'text_to_image', aspectRatio = null, parameters, inputs = [] } = request;
  return {
    id: generation.id,
    predictionId: generation.prediction,
    status: statusOf(generation),
    settings: {
      model, mode, prompt: generation.prompt, aspectRatio, parameters,
      inputs: inputs.map((key) => urls.signed(`/files/${key}`)),
    },
    renderId: renderIdOf(renders),
    variants: renders.map(({ id, index, url, width, height }) => ({ id, index, url: urls.open(url), width, height })),
    error: generation.status === 'failed' ? toldError(generation.error) : null,
    createdAt: generation.created_at.toISOString(),
    completedAt: completed_at?.toISOString() ?? null,
  };
}

function statusOf({ status, prediction }: ImageGeneration): V1Status {
  if (status === 'completed') return 'succeeded';
  if (status === 'failed') return 'failed';
  if (status === 'cancelled') return 'canceled';
  return prediction === null ? 'starting' : 'processing';
}

const renderIdOf = (renders: Render[]): string | null =>
  renders.map(({ storage_key }) => renderIn(storage_key)).find((id) => id !== null) ?? null;
