import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { isObject } from './graph.js';

/** How a prompt stands on one server. */
export type PromptState =
  | { kind: 'pending' | 'running' | 'unknown' | 'interrupted' }
  | { kind: 'done'; outputs: PromptOutputs }
  | { kind: 'failed'; error: ExecutionError };

/** By node id: what each output node shows, lists by kind (`images`, `gifs`, `audio`, `text`, …). */
export type PromptOutputs = Record<string, JsonObject>;

export interface ExecutionError {
  nodeId: string;
  nodeClass: string;
  /** The Python class: `RuntimeError`. */
  type: string;
  message: string;
}

/** An entry of `/history`. An interrupted run differs from a failed one by its messages only. */
export function endedState(entry: JsonObject): PromptState {
  const status = isObject(entry['status']) ? entry['status'] : {};
  const outputs = isObject(entry['outputs']) ? entry['outputs'] : {};
  if (status['status_str'] !== 'error') return { kind: 'done', outputs: outputs as PromptOutputs };
  const messages = (Array.isArray(status['messages']) ? status['messages'] : []) as Array<[unknown, unknown]>;
  if (messages.some(([type]) => type === 'execution_interrupted')) return { kind: 'interrupted' };
  const data = Object(messages.find(([type]) => type === 'execution_error')?.[1]) as Record<string, unknown>;
  const text = (name: string) => String(data[name] ?? '').trim();
  return {
    kind: 'failed',
    error: {
      nodeId: text('node_id'), nodeClass: text('node_type'), type: text('exception_type'),
      message: text('exception_message') || 'The server says no more than that it failed',
    },
  };
}

/** Ids of `queue_running` or `queue_pending`: lists of `[number, id, graph, …]`. */
export const queuedIds = (queue: unknown): string[] =>
  Array.isArray(queue) ? queue.map((entry) => String((entry as unknown[])[1])) : [];
