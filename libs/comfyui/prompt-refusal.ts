import { PromptRefused, type NodeFault } from './comfy-error.js';
import { isObject } from './graph.js';

const MAX_MESSAGE_LENGTH = 300;
const MAX_FAULTS = 100;

/** What an answer to `POST /prompt` says against the graph; undefined: nothing. Any answer but a 200 refuses. */
export function refusalIn(status: number, answer: unknown): PromptRefused | undefined {
  const { error, node_errors: nodeErrors } = Object(answer) as { error?: unknown; node_errors?: unknown };
  const faults = nodeFaults(nodeErrors);
  if (status === 200) {
    // The sound outputs run, the others are left out without a word: half of what was ordered.
    return isWhole(nodeErrors) ? undefined : new PromptRefused('Some of its outputs cannot run', faults);
  }
  const { message, details, extra_info: info } = Object(error) as Record<string, unknown>;
  const text = [message, details].filter((part) => typeof part === 'string' && part !== '').join(': ');
  const { node_id: node } = Object(info) as { node_id?: unknown };
  const whole = typeof node === 'string' ? [{ nodeId: node, message: shortened(text) }] : [];
  return new PromptRefused(shortened(text) || `It answered with status ${status}`, faults.length > 0 ? faults : whole);
}

const isWhole = (nodeErrors: unknown): boolean => Object.keys(Object(nodeErrors) as object).length === 0;

function nodeFaults(nodeErrors: unknown): NodeFault[] {
  if (!isObject(nodeErrors)) return [];
  return Object.entries(nodeErrors)
    .flatMap(([nodeId, node]) => {
      const { errors } = Object(node) as { errors?: unknown };
      return (Array.isArray(errors) ? errors : []).map((error) => nodeFault(nodeId, Object(error)));
    })
    .slice(0, MAX_FAULTS);
}

function nodeFault(nodeId: string, error: Record<string, unknown>): NodeFault {
  const { input_name: input } = Object(error['extra_info']) as { input_name?: unknown };
  const [message, details] = [error['message'], error['details']].map((part) => String(part ?? ''));
  // Most details only name the input once more.
  const text = !details || details === input ? message : `${message}: ${details}`;
  return { nodeId, message: shortened(text ?? ''), ...(typeof input === 'string' && { input }) };
}

const shortened = (text: string): string =>
  text.length > MAX_MESSAGE_LENGTH ? `${text.slice(0, MAX_MESSAGE_LENGTH)}…` : text;
