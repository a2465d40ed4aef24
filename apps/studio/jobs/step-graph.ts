import type { SetStep } from '../api/shapes.js';

export interface GraphNode {
  id: string;
  name: string;
  node: string;
  /** Steps whose results it takes. */
  from: string[];
  /** 0 for what stands on nothing; else one more than the last that it stands on. */
  level: number;
  /** Its place among those of its level. */
  place: number;
}

const WITHIN_TEXT = /\{\{\s*\$ref:([^}.\s]+)/g;

/** The steps of a set with what each takes from which. */
export function graphOf(steps: SetStep[]): GraphNode[] {
  const idOf = new Map(steps.flatMap(({ id, alias }) => [[String(id), String(id)], ...(alias ? [[alias, String(id)]] : [])] as Array<[string, string]>));
  const from = new Map(steps.map(({ id, nodePayload }) => {
    const sources = [...referencesIn(nodePayload)].flatMap((name) => idOf.get(name) ?? []);
    return [String(id), [...new Set(sources)].filter((source) => source !== String(id))];
  }));
  const levels = levelsOf(from);
  const taken = new Map<number, number>();
  return steps.map(({ id, alias, nodeName }) => {
    const level = levels.get(String(id)) ?? 0;
    const place = taken.get(level) ?? 0;
    taken.set(level, place + 1);
    return { id: String(id), name: alias ?? nodeName, node: nodeName, from: from.get(String(id)) ?? [], level, place };
  });
}

/** Ids and aliases that a payload names: `{ "$ref": … }`, and `{{$ref:…}}` within texts. */
function* referencesIn(value: unknown): Generator<string> {
  if (typeof value === 'string') for (const [, name = ''] of value.matchAll(WITHIN_TEXT)) yield name;
  if (typeof value !== 'object' || value === null) return;
  const { $ref } = value as { $ref?: unknown };
  if (typeof $ref === 'string' || typeof $ref === 'number') yield String($ref).split('.')[0] ?? '';
  for (const inner of Object.values(value)) yield* referencesIn(inner);
}

/** Sets are checked to have no circles; a broken one would end here all the same. */
function levelsOf(from: Map<string, string[]>): Map<string, number> {
  const levels = new Map<string, number>();
  const levelOf = (id: string, above: string[]): number => {
    const known = levels.get(id);
    if (known !== undefined || above.includes(id)) return known ?? 0;
    const sources = from.get(id) ?? [];
    const level = Math.max(-1, ...sources.map((source) => levelOf(source, [...above, id]))) + 1;
    levels.set(id, level);
    return level;
  };
  for (const id of from.keys()) levelOf(id, []);
  return levels;
}
