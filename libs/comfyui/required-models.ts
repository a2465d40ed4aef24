import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { Graph } from './graph.js';

/** A file in one of a server's folders of models. */
export interface ModelFile {
  /** The folder: `checkpoints`, `loras`, … */
  kind: string;
  name: string;
}

type FilesByKind = Record<string, string[]>;

/** What an author says a graph loads. */
export interface RequiredModels {
  /** By every edition. */
  static?: FilesByKind | null;
  /** By those editions that choose it: a file, or the form's field that names one. */
  dynamic?: FilesByKind | null;
}

/** All files that are named, for a list of what a workflow may need. */
export const namedModels = (required: RequiredModels | null | undefined): ModelFile[] => [
  ...filesOf(required?.static),
  ...filesOf(required?.dynamic),
];

/** What one edition needs: `graph` is its own, `values` are its form's. */
export function neededModels(
  required: RequiredModels | null | undefined,
  graph: Graph,
  values: JsonObject,
): ModelFile[] {
  const chosen = new Set(Object.values(graph).flatMap(({ inputs }) => Object.values(inputs)));
  const dynamic = filesOf(required?.dynamic).flatMap(({ kind, name }) => {
    const value = values[name];
    if (typeof value === 'string' && value !== '') return [{ kind, name: value }];
    return chosen.has(name) ? [{ kind, name }] : [];
  });
  return [...filesOf(required?.static), ...dynamic];
}

const filesOf = (files: FilesByKind | null | undefined): ModelFile[] =>
  Object.entries(files ?? {}).flatMap(([kind, names]) => names.map((name) => ({ kind, name })));
