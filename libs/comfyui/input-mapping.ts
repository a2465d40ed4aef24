import type { FieldFault } from '#libs/errors/app-error.js';
import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import { AssetHandle } from '#libs/nodes/node.js';
import { isObject, type Graph } from './graph.js';
import { namesServerFile, NO_SERVER_FILES } from './server-files.js';

/** Where one input of a node has its value from. */
export interface MappedInput {
  /** A field of the form, or a value that the system knows. */
  value: string;
  /** Where there is no value. Without it the graph's own value stays. */
  default?: Json;
  is_required?: boolean | null;
}

/** By node id and input name. */
export type InputMapping = Record<string, Record<string, MappedInput>>;

/** A file that is uploaded, and the input that names it then. */
export interface PlacedFile {
  nodeId: string;
  input: string;
  /** One of ours, or the http(s) URL of another host. */
  file: AssetHandle | string;
}

export interface FilledGraph {
  graph: Graph;
  files: PlacedFile[];
}

/** Mappings to nodes and inputs that the graph does not have, and defaults that no graph may have; paths below the mapping. */
export function mappingFaults(mapping: InputMapping, graph: JsonObject): FieldFault[] {
  return Object.entries(mapping).flatMap(([nodeId, inputs]) => {
    const node = Object.hasOwn(graph, nodeId) ? graph[nodeId] : undefined;
    if (!isObject(node)) return [{ field: nodeId, message: `is no node of the graph: ${nodeId}` }];
    const known = isObject(node['inputs']) ? node['inputs'] : {};
    return Object.entries(inputs).flatMap(([input, mapped]) => {
      const field = `${nodeId}.${input}`;
      if (!Object.hasOwn(known, input)) {
        return [{ field, message: `is no input of node ${nodeId} (${String(node['class_type'])})` }];
      }
      return namesServerFile(mapped.default) ? [{ field: `${field}.default`, message: NO_SERVER_FILES }] : [];
    });
  });
}

/**
 * The graph with its values in place; the author's own stays as it is. `isFile` tells the fields whose URLs are
 * files. Also says which required ones have no value.
 */
export function fillGraph(
  graph: Graph,
  mapping: InputMapping,
  values: JsonObject,
  isFile: (field: string) => boolean,
): FilledGraph & { missing: string[] } {
  const filled = structuredClone(graph);
  const files: PlacedFile[] = [];
  const missing: string[] = [];
  for (const { nodeId, input, mapped } of places(mapping)) {
    const value = given(values[mapped.value]) ?? given(mapped.default);
    const node = filled[nodeId];
    if (value === undefined && mapped.is_required) missing.push(mapped.value);
    if (value === undefined || !node) continue;
    if (isFileValue(value, isFile(mapped.value))) files.push({ nodeId, input, file: value });
    else node.inputs[input] = literal(value);
  }
  return { graph: filled, files, missing };
}

const places = (mapping: InputMapping) =>
  Object.entries(mapping).flatMap(([nodeId, inputs]) =>
    Object.entries(inputs).map(([input, mapped]) => ({ nodeId, input, mapped })),
  );

/** The form's field behind an input of a node, if there is one. */
export const fieldBehind = (mapping: InputMapping, nodeId: string, input: string | undefined): string | undefined =>
  input === undefined ? undefined : mapping[nodeId]?.[input]?.value;

const given = (value: Json | undefined): Json | undefined => (value === null ? undefined : value);

const isFileValue = (value: unknown, isUrl: boolean): value is AssetHandle | string =>
  value instanceof AssetHandle || (isUrl && typeof value === 'string' && /^https?:\/\//i.test(value));

/** A bare list would be read as a link to another node. */
const literal = (value: Json): Json => (Array.isArray(value) ? { __value__: value } : value);
