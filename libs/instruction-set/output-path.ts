import type { Json } from './instruction-set.js';

/** A stored file in a step's output. */
export interface ReferencedAsset {
  id: string;
  url: string;
  name: string;
  mime_type: string;
  size: number;
  sha256: string;
  width: number | null;
  height: number | null;
  storage_key: string;
}

/** What a finished step left. Its primary output is the first asset, else `value`. */
export interface ReferencedOutput {
  assets: ReferencedAsset[];
  value: Json;
  traits: unknown[];
}

const PATH = /^(?:[^.[\]]+|\[\d+\])(?:\.[^.[\]]+|\[\d+\])*$/;
const ROOTS = ['assets', 'value', 'traits'];

/** `assets[0].url` as `['assets', '0', 'url']`; undefined when it is not a path. */
export function parseOutputPath(path: string): string[] | undefined {
  return PATH.test(path) ? path.match(/[^.[\]]+/g) ?? undefined : undefined;
}

/**
 * The part of an output that `path` names, or the primary output without one. A path that begins with none
 * of `assets`, `value` and `traits` is one inside `value`. Undefined: there is no such part.
 */
export function selectOutput(output: ReferencedOutput, path: string | null): unknown {
  if (path === null) return output.assets[0] ?? output.value;
  const segments = parseOutputPath(path);
  if (!segments) return undefined;
  const [root = ''] = segments;
  return segments.reduce<unknown>(member, ROOTS.includes(root) ? output : output.value);
}

function member(value: unknown, key: string): unknown {
  const found = typeof value === 'object' && value !== null && Object.hasOwn(value, key);
  return found ? (value as Record<string, unknown>)[key] : undefined;
}
