import type { FilledGraph, InputMapping } from './input-mapping.js';
import type { ModelFile } from './required-models.js';

/** What one edition of a workflow orders of a server: the payload of `comfy_workflow`. */
export interface ComfyOrder extends FilledGraph {
  /** Whom to blame for the value of an input. */
  inputs: InputMapping;
  models: ModelFile[];
}
