import type { ComfyOrder } from '#libs/comfyui/comfy-order.js';
import { InputTooLarge, type NoServerAble, type PromptRefused } from '#libs/comfyui/comfy-error.js';
import { fieldBehind } from '#libs/comfyui/input-mapping.js';
import type { ExecutionError } from '#libs/comfyui/prompt-state.js';
import type { FieldFault } from '#libs/errors/app-error.js';
import { inputFault, NodeError, worldFault } from '../node.js';

/** The same graph may pass when less is in the way. */
const OUT_OF_MEMORY = /out of ?memory/i;

export const notConfigured = () => inputFault('COMFYUI_NOT_CONFIGURED', 'No ComfyUI server is configured');

export const noServer = () => worldFault('COMFYUI_UNAVAILABLE', 'No ComfyUI server answers', 30_000);

export const lost = () => worldFault('COMFYUI_LOST', 'The ComfyUI servers lost the prompt again and again', 10_000);

export const interrupted = () =>
  worldFault('COMFYUI_INTERRUPTED', 'The prompt was interrupted at the ComfyUI server');

export const notInstalled = ({ lacking, message }: NoServerAble) =>
  new NodeError('COMFYUI_NOT_INSTALLED', message, true, undefined, lacking);

/**
 * What a server says against the graph, as faults of the form's fields behind the inputs. Of others only the place is
 * told: the server's words would quote the author's graph, or what lies at the server.
 */
export function refused(refusal: PromptRefused, { inputs }: ComfyOrder): NodeError {
  const fields = refusal.faults.map(({ nodeId, input, message: reason }): FieldFault => {
    const field = fieldBehind(inputs, nodeId, input);
    if (field !== undefined) return { field, message: reason };
    const path = ['workflow', nodeId, ...(input === undefined ? [] : ['inputs', input])].join('.');
    return { field: path, message: 'is refused by the ComfyUI server' };
  });
  const told = fields.map(({ field, message: reason }) => `${field}: ${reason}`).join('; ');
  const whole = refusal instanceof InputTooLarge ? refusal.message : 'The ComfyUI server refuses the graph';
  return new NodeError('VALIDATION_ERROR', told || whole, true, undefined, fields);
}

/** The server's words may tell its paths and the author's values: the node is all that is told. */
export function executionFault({ nodeId, type, message }: ExecutionError): NodeError {
  if (OUT_OF_MEMORY.test(`${type} ${message}`)) {
    return worldFault('COMFYUI_EXECUTION_ERROR', `The ComfyUI server ran out of memory at node ${nodeId}`);
  }
  return inputFault('COMFYUI_EXECUTION_ERROR', `Node ${nodeId} of the graph failed at the ComfyUI server`);
}
