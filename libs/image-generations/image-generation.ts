import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { ToldError } from './told-error.js';

export type ImageFace = 'two_step' | 'v1';

/** What was asked for, as its face shows it again: `image_generation.request`. */
export interface ImageRequest {
  model: string;
  /** Of v1: `text_to_image` or `image_to_image`. */
  mode?: string;
  style?: string;
  quality?: string;
  aspectRatio?: string;
  parameters: JsonObject;
  /** Of two-step, as they were given: URLs. */
  productImages?: string[];
  modelImages?: string[];
  /** Of v1: storage keys of the inputs. */
  inputs?: string[];
}

/** A generation of these faces with what its views need. Its id is its job's. */
export interface ImageGeneration {
  id: string;
  user_id: string;
  request: ImageRequest;
  prompt: string;
  begun: boolean;
  /** Of its job. */
  status: 'pending' | 'processing' | 'completed' | 'failed' | 'cancelled';
  error: ToldError | null;
  /** Id of its newest prediction, once there is one. */
  prediction: string | null;
  /** Tries after the first. */
  retries: number;
  /** Micro-credits: its price, and what of it is spent. */
  price: string;
  captured: string;
  created_at: Date;
  created_at_text: string;
  begun_at: Date | null;
  completed_at: Date | null;
  renders: Render[];
}

/** A finished image. */
export interface Render {
  id: string;
  index: number;
  storage_key: string;
  url: string;
  width: number | null;
  height: number | null;
}
