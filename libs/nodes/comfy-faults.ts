import type { ComfyOrder } from '#libs/comfyui/comfy-order.js';
import type { NoServerAble, PromptRefused } from '#libs/comfyui/comfy-error.js';
import { titleOf } from '#libs/comfyui/graph.js';
import { fieldBehind } from '#libs/comfyui/input-mapping.js';
import type { ExecutionError } from '#libs/comfyui/prompt-state.js';
import type { FieldFault } from '#libs/errors/app-error.js';
import { inputFault, NodeError, worldFault } from './node.js';

/** The same graph may pass when less is in the way. */
const OUT_OF_MEMORY = /out of ?memory/i;

export const notConfigured = () => inputFault('COMFYUI_NOT_CONFIGURED', 'No ComfyUI server is configured');

export const noServer = () => worldFault('COMFYUI_UNAVAILABLE', 'No ComfyUI server answers', 30_000);

export const lost = () => worldFault('COMFYUI_LOST', 'The ComfyUI servers lost the prompt again and again', 10_000);

export const interrupted = () =>
  worldFault('COMFYUI_INTERRUPTED', 'The prompt was interrupted at the ComfyUI server');

export const notInstalled = ({ lacking, message }: NoServerAble) =>
  new NodeError('COMFYUI_NOT_INSTALLED', message, true, undefined, lacking);

/** What a server says against the graph, as faults of the form's fields behind the inputs. */
export function refused({ message, faults }: PromptRefused, { graph, inputs }: ComfyOrder): NodeError {
  const fields = faults.map(({ nodeId, input, message: reason }): FieldFault => {
    const field = fieldBehind(inputs, nodeId, input);
    if (field !== undefined) return { field, message: reason };
    const node = graph[nodeId];
    const path = ['workflow', nodeId, ...(input === undefined ? [] : ['inputs', input])].join('.');
    return { field: path, message: node ? `${titleOf(node)}: ${reason}` : reason };
  });
  const told = fields.map(({ field, message: reason }) => `${field}: ${reason}`).join('; ');
  return new NodeError('VALIDATION_ERROR', told || message, true, undefined, fields);
}

export function executionFault({ nodeId, nodeClass, type, message }: ExecutionError, { graph }: ComfyOrder): NodeError {
  const node = graph[nodeId];
  const text = `${node ? titleOf(node) : nodeClass} (node ${nodeId}): ${message}`;
  const isWorlds = OUT_OF_MEMORY.test(`${type} ${message}`);
  return new NodeError('COMFYUI_EXECUTION_ERROR', text, !isWorlds);
}
