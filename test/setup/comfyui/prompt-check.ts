import type { Graph, NodeClass } from './node-classes.js';
import type { StoredFiles } from './stored-files.js';

/** The generations of servers that the stand-in speaks for. */
export type ServerVersion = '0.3.64' | '0.33.0';

export interface Refusal {
  error: { type: string; message: string; details: string; extra_info: object };
  node_errors: Record<string, NodeErrors>;
}

interface NodeErrors {
  errors: Array<{ type: string; message: string; details: string; extra_info: object }>;
  dependent_outputs: string[];
  class_type: string;
}

/** What `POST /prompt` says of a graph: the outputs that will run, and what is wrong with the others. */
export function checkPrompt(
  graph: Graph,
  classes: Record<string, NodeClass>,
  files: StoredFiles,
  version: ServerVersion,
): Refusal | { outputs: string[]; node_errors: Record<string, NodeErrors> } {
  for (const [id, { class_type: name }] of Object.entries(graph)) {
    if (!name || !classes[name]) return missingClass(id, name, version);
  }
  const outputs = Object.keys(graph).filter((id) => classes[graph[id]?.class_type ?? '']?.isOutput);
  if (outputs.length === 0) return refusal('prompt_no_outputs', 'Prompt has no outputs', '', {});
  const node_errors: Record<string, NodeErrors> = {};
  const sound = outputs.filter((output) => {
    const faulty = [...behind(graph, output)].filter((id) => {
      const errors = inputErrors(graph, id, classes, files);
      if (errors.length === 0) return false;
      const known = (node_errors[id] ??= { errors, dependent_outputs: [], class_type: graph[id]?.class_type ?? '' });
      known.dependent_outputs.push(output);
      return true;
    });
    return faulty.length === 0;
  });
  if (sound.length > 0) return { outputs: sound, node_errors };
  return refusal('prompt_outputs_failed_validation', 'Prompt outputs failed validation', '', {}, node_errors);
}

/** A node and all that it reads. */
export function behind(graph: Graph, id: string, seen = new Set<string>()): Set<string> {
  if (seen.has(id) || !graph[id]) return seen;
  for (const value of Object.values(graph[id].inputs)) if (isLink(value)) behind(graph, value[0], seen);
  return seen.add(id);
}

export const isLink = (value: unknown): value is [string, number] => Array.isArray(value) && value.length === 2;

function missingClass(id: string, name: string, version: ServerVersion): Refusal {
  const message = `Node '${name}' not found. The custom node may not be installed.`;
  if (version === '0.3.64') {
    return refusal('invalid_prompt', `Cannot execute because node ${name} does not exist.`, `Node ID '#${id}'`, {});
  }
  return refusal('missing_node_type', message, `Node ID '#${id}'`, { node_id: id, class_type: name, node_title: name });
}

const refusal = (
  type: string, message: string, details: string, extra_info: object, node_errors: Refusal['node_errors'] = {},
): Refusal => ({ error: { type, message, details, extra_info }, node_errors });

function inputErrors(
  graph: Graph, id: string, classes: Record<string, NodeClass>, files: StoredFiles,
): NodeErrors['errors'] {
  const { class_type: name, inputs } = graph[id] as Graph[string];
  const errors: NodeErrors['errors'] = [];
  const fault = (type: string, message: string, input: string, details: string, more: object = {}) =>
    errors.push({ type, message, details, extra_info: { input_name: input, ...more } });
  for (const [input, config] of Object.entries(classes[name]?.required ?? {})) {
    const value = inputs[input];
    const [kind, options = {}] = config as [unknown, { min?: number; max?: number }?];
    const more = { input_config: config, received_value: value };
    if (value === undefined) fault('required_input_missing', 'Required input is missing', input, input);
    else if (isLink(value)) {
      if (!graph[value[0]]) fault('exception_during_validation', 'Exception when validating node', input, `'${value[0]}'`);
    } else if (Array.isArray(kind) && !kind.includes(value)) {
      fault('value_not_in_list', 'Value not in list', input, `${input}: '${String(value)}' not in ${JSON.stringify(kind)}`, more);
    } else if (kind === 'INT' && !Number.isInteger(Number(value))) {
      fault('invalid_input_type', 'Failed to convert an input value to a INT value', input, `${input}, ${String(value)}`, more);
    } else if (options.min !== undefined && Number(value) < options.min) {
      fault('value_smaller_than_min', `Value ${String(value)} smaller than min of ${options.min}`, input, input, more);
    } else if (options.max !== undefined && Number(value) > options.max) {
      fault('value_bigger_than_max', `Value ${String(value)} bigger than max of ${options.max}`, input, input, more);
    }
  }
  if (name === 'LoadImage' && inputs['image'] && !files.has(`input/${String(inputs['image'])}`)) {
    fault('custom_validation_failed', 'Custom validation failed for node', 'image', `image - Invalid image file: ${String(inputs['image'])}`);
  }
  return errors;
}
