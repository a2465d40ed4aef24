import type { Graph, GraphNode, NodeClass } from './node-classes.js';
import type { StoredFiles } from './stored-files.js';

/** The generations of servers that the stand-in speaks for. */
export type ServerVersion = '0.3.64' | '0.33.0';

export interface Refusal {
  error: InputError;
  node_errors: Record<string, NodeErrors>;
}

interface InputError {
  type: string;
  message: string;
  details: string;
  extra_info: object;
}

interface NodeErrors {
  errors: InputError[];
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
): InputError[] {
  const { class_type: name, inputs } = graph[id] as GraphNode;
  const errors = Object.entries(classes[name]?.required ?? {}).flatMap(([input, config]) => {
    const value = inputs[input];
    const isDangling = isLink(value) && !graph[value[0]];
    if (isDangling) return [fault('exception_during_validation', 'Exception when validating node', input, `'${value[0]}'`)];
    return isLink(value) ? [] : valueErrors(input, value, config);
  });
  const image = String(inputs['image']);
  if (name !== 'LoadImage' || files.has(`input/${image}`)) return errors;
  const details = `image - Invalid image file: ${image}`;
  return [...errors, fault('custom_validation_failed', 'Custom validation failed for node', 'image', details)];
}

function valueErrors(input: string, value: unknown, config: unknown[]): InputError[] {
  if (value === undefined) return [fault('required_input_missing', 'Required input is missing', input, input)];
  const [kind, { min = -Infinity, max = Infinity } = {}] = config as [unknown, { min?: number; max?: number }?];
  const [text, more] = [String(value), { input_config: config, received_value: value }];
  if (Array.isArray(kind)) {
    const details = `${input}: '${text}' not in ${JSON.stringify(kind)}`;
    return kind.includes(value) ? [] : [fault('value_not_in_list', 'Value not in list', input, details, more)];
  }
  if (kind === 'INT' && !Number.isInteger(Number(value))) {
    const message = 'Failed to convert an input value to a INT value';
    return [fault('invalid_input_type', message, input, `${input}, ${text}`, more)];
  }
  if (Number(value) < min) {
    return [fault('value_smaller_than_min', `Value ${text} smaller than min of ${min}`, input, input, more)];
  }
  if (Number(value) <= max || Number.isNaN(Number(value))) return [];
  return [fault('value_bigger_than_max', `Value ${text} bigger than max of ${max}`, input, input, more)];
}

const fault = (type: string, message: string, input: string, details: string, more: object = {}): InputError => ({
  type, message, details, extra_info: { input_name: input, ...more },
});
