import { joinPath } from '#libs/instruction-set/field-path.js';
import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';

/** One node of a graph in ComfyUI's API format. A value `[nodeId, slot]` is a link. */
export interface GraphNode {
  class_type: string;
  inputs: JsonObject;
  _meta?: { title?: string };
}

/** By node id. */
export type Graph = Record<string, GraphNode>;

export interface GraphFault {
  /** Dotted, below the graph: node ids are names, not places in a list. */
  path: string;
  message: string;
}

/** Servers are asked for each class, and a graph's outputs are found by going through its nodes. */
const MAX_NODES = 2_000;
const MAX_CLASSES = 200;

/** What the editor saves by itself: it has positions and no input names, and no server runs it. */
const UI_FORMAT =
  "is in the format of ComfyUI's editor, which servers do not run: open it there, choose Workflow > Export (API) " +
  '("Save (API Format)" in older versions, with the dev mode options on), and use that file';

/** What keeps a value from being a graph in API format. */
export function graphFaults(graph: JsonObject): GraphFault[] {
  if (Array.isArray(graph['nodes']) && ('links' in graph || 'last_node_id' in graph || 'version' in graph)) {
    return [{ path: '', message: UI_FORMAT }];
  }
  const nodes = Object.entries(graph);
  if (nodes.length === 0) return [{ path: '', message: 'is empty: it must be a graph in API format' }];
  if (nodes.length > MAX_NODES) return [{ path: '', message: `has more than ${MAX_NODES} nodes` }];
  const classes = new Set(nodes.map(([, node]) => (isObject(node) ? node['class_type'] : undefined)));
  if (classes.size > MAX_CLASSES) return [{ path: '', message: `has nodes of more than ${MAX_CLASSES} classes` }];
  return nodes.flatMap(([id, node]) => nodeFaults(node).map(({ path, message }) => ({ path: joinPath(id, path), message })));
}

function nodeFaults(node: Json): GraphFault[] {
  if (!isObject(node)) return [{ path: '', message: 'must be a node: { class_type, inputs }' }];
  const { class_type: name, inputs } = node;
  return [
    ...(typeof name === 'string' && name !== '' ? [] : [{ path: 'class_type', message: 'must name a class of node' }]),
    ...(isObject(inputs) ? [] : [{ path: 'inputs', message: 'must be an object' }]),
  ];
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const classesOf = (graph: Graph): string[] => [
  ...new Set(Object.values(graph).map(({ class_type: name }) => name)),
];

/** How a node is called before people. */
export const titleOf = ({ class_type: name, _meta }: GraphNode): string => _meta?.title || name;

/** Such a node leaves no file: its images come over the websocket only. */
export const isWebsocketOutput = ({ class_type: name }: GraphNode): boolean => /websocket/i.test(name);
