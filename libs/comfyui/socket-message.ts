import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { isObject } from './graph.js';

/** What a server says over the websocket of the prompts of that socket's client. */
export type ServerMessage =
  /** A node begins; null: the prompt has ended, and history knows it. */
  | { type: 'executing'; promptId: string; node: string | null }
  | { type: 'cached'; promptId: string; nodes: string[] }
  | { type: 'progress'; promptId: string; node: string; value: number; max: number }
  /** Of all nodes that have begun. Newer servers. */
  | { type: 'nodes'; promptId: string; nodes: Record<string, NodeState> };

interface NodeState {
  value: number;
  max: number;
  /** `running`, `finished` or `error`. */
  state: string;
}

/** An image of a node that runs: a preview, or what `SaveImageWebsocket` gives. Its prompt is the running one. */
export interface SocketImage {
  bytes: Buffer;
}

/** Undefined for what is none of a prompt's, not known or not well-formed. */
export function readMessage(text: string): ServerMessage | undefined {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { type, data } = Object(message) as { type?: unknown; data?: unknown };
  if (!isObject(data) || typeof data['prompt_id'] !== 'string') return undefined;
  const { prompt_id: promptId, node, nodes, value, max } = data;
  if (type === 'executing') return { type, promptId, node: node === null ? null : String(node) };
  if (type === 'execution_cached' && Array.isArray(nodes)) return { type: 'cached', promptId, nodes: nodes.map(String) };
  if (type === 'progress') return { type, promptId, node: String(node), value: Number(value), max: Number(max) };
  if (type === 'progress_state' && isObject(nodes)) return { type: 'nodes', promptId, nodes: statesOf(nodes) };
  return undefined;
}

const statesOf = (nodes: JsonObject): Record<string, NodeState> =>
  Object.fromEntries(
    Object.entries(nodes).map(([id, node]) => {
      const { value, max, state } = Object(node) as Record<string, unknown>;
      return [id, { value: Number(value), max: Number(max), state: String(state) }];
    }),
  );

const PREVIEW = 1;
const PREVIEW_WITH_METADATA = 4;

/** Big-endian: the event, then a format (1 JPEG, 2 PNG) or the length of metadata and that, then the image. */
export function readImage(frame: Buffer): SocketImage | undefined {
  if (frame.length <= 8) return undefined;
  const [event, second] = [frame.readUInt32BE(0), frame.readUInt32BE(4)];
  if (event === PREVIEW) return { bytes: frame.subarray(8) };
  if (event === PREVIEW_WITH_METADATA) return { bytes: frame.subarray(8 + second) };
  return undefined;
}
