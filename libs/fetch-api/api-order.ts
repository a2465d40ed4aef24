import type { Json } from '#libs/instruction-set/instruction-set.js';
import type { PlacedInput } from '#libs/json-inputs/json-inputs.js';
import type { ApiCall } from './api-call.js';

/** What a workflow makes of one edition's values for its node. */
export interface ApiOrder {
  api: ApiCall;
  body?: Json;
  placed: PlacedInput[];
  /** jq paths in the body that take the URL which the result is to be sent to. */
  webhookPaths: string[];
  /** The workflow's `output_mime_type`. */
  outputType: string | null;
}
