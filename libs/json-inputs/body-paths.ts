import type { Json } from '#libs/instruction-set/instruction-set.js';
import type { Expressions } from '#libs/sandbox/expressions.js';

/** Keys and indexes, from the outside in. */
export type JsonPath = Array<string | number>;

/** Where each jq path leads in a body. Throws an `Error` whose words its author may read. */
export async function bodyPaths(
  expressions: Expressions,
  body: Json,
  programs: readonly string[],
  signal?: AbortSignal,
): Promise<JsonPath[][]> {
  if (programs.length === 0) return [];
  const all = programs.map((program) => `[path(${program}\n)]`).join(', ');
  const found = await expressions.jq(all, body, signal);
  return programs.map((program, index) => {
    const paths = found[index];
    if (!Array.isArray(paths)) throw new Error(`${program} is not a jq path`);
    return paths.map((path) => placeIn(body, path));
  });
}

/** The path with its indexes counted from the front. */
function placeIn(body: Json, path: Json): JsonPath {
  if (!Array.isArray(path)) throw new Error('It is not a jq path');
  let value: Json | undefined = body;
  return path.map((step) => {
    const key = typeof step === 'number' && step < 0 && Array.isArray(value) ? value.length + step : step;
    if ((typeof key !== 'string' && typeof key !== 'number') || !Object.hasOwn(Object(value), key)) {
      throw new Error(`There is no ${JSON.stringify(step)} at its place`);
    }
    value = (value as Record<string | number, Json>)[key];
    return key;
  });
}

/** A copy of the body with each value at its places. They were found in it, so all of them are there. */
export function withValues(body: Json, places: ReadonlyArray<{ paths: JsonPath[]; value: Json }>): Json {
  const root = { body: structuredClone(body) };
  for (const { paths, value } of places) {
    for (const path of paths) setAt(root, ['body', ...path], value);
  }
  return root.body;
}

function setAt(root: Json, path: JsonPath, value: Json): void {
  let holder = root as Record<string | number, Json>;
  for (const key of path.slice(0, -1)) {
    const next = holder[key];
    // An earlier value may have taken the place of what held this one.
    if (typeof next !== 'object' || next === null || !Object.hasOwn(holder, key)) return;
    holder = next as Record<string | number, Json>;
  }
  holder[path.at(-1) as string | number] = structuredClone(value);
}
