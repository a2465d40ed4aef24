import type { FileUrls } from '#libs/assets/file-urls.js';
import { toCredits } from '#libs/credits/micro-credits.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { ImageGeneration } from './image-generation.js';
import { toldError } from './told-error.js';

/** A generation as the two-step face shows it. Times are milliseconds since 1970. */
export interface TwoStepView {
  generationId: string;
  status: 'pending' | 'processing' | 'completed' | 'failed' | 'cancelled';
  resultImages: string[];
  prompt: string;
  parameters: JsonObject;
  productImages: string[];
  modelImages: string[];
  /** Credits that were spent, and those that it was priced at. */
  tokensUsed: number;
  estimatedCost: number;
  retryCount: number;
  createdAt: number;
  completedAt: number | null;
  /** Milliseconds from its beginning to its end. */
  processingTime: number | null;
  error: string | null;
  message: string;
}

const MESSAGES: Record<TwoStepView['status'], string> = {
  pending: 'Generation record created successfully',
  processing: 'Generation processing started successfully',
  completed: 'Generation completed successfully',
  failed: 'Generation failed',
  cancelled: 'Generation cancelled',
};

export function presentTwoStep(generation: ImageGeneration, urls: FileUrls): TwoStepView {
  const { begun_at, completed_at } = generation;
  const { parameters, productImages = [], modelImages = [], ...settings } = generation.request;
  const status = generation.status === 'pending' && generation.begun ? 'processing' : generation.status;
  return {
    generationId: generation.id,
    status,
    resultImages: generation.renders.map(({ url }) => urls.open(url)),
    prompt: generation.prompt,
    parameters: { ...settings, ...parameters } as JsonObject,
    productImages,
    modelImages,
    tokensUsed: toCredits(generation.captured),
    estimatedCost: toCredits(generation.price),
    retryCount: generation.retries,
    createdAt: generation.created_at.getTime(),
    completedAt: completed_at?.getTime() ?? null,
    processingTime: completed_at && begun_at ? completed_at.getTime() - begun_at.getTime() : null,
    error: errorOf(generation),
    message: MESSAGES[status],
  };
}

/** `EXPIRED`, or what failed. */
function errorOf({ status, error }: ImageGeneration): string | null {
  if (status === 'cancelled') return error?.code ?? null;
  if (status !== 'failed') return null;
  const { code, message } = toldError(error);
  return `${code}: ${message}`;
}
