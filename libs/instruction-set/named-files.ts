import type { Json } from './instruction-set.js';

/** An asset's id, or its URL. */
const FILE = /^(\d{1,18}|(https?:\/\/[^/]+)?\/files\/.+)$/;

/** Every text of a value that may name a file, once. */
export const namedFiles = (value: Json): string[] => [...new Set(textsIn(value).filter((text) => FILE.test(text)))];

function textsIn(value: Json): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
