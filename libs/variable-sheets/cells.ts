import type { Json, JsonObject, VariableDefinition } from '#libs/instruction-set/instruction-set.js';

/** In order. One row holds one value; what is said of the whole variable stands in its first row. */
export const COLUMNS = [
  'name', 'type', 'value_type', 'value', 'display_name', 'weight', 'lock_value', 'test_value',
] as const;
export type Column = (typeof COLUMNS)[number];

/**
 * Spreadsheets take a cell that begins like this for a formula, of which a stranger's could send the sheet away
 * (OWASP, "CSV Injection"). An apostrophe before it makes it a text; those that begin with apostrophes of their own,
 * and an empty text that is meant, get one more, so that each text comes back as it was.
 */
const GUARDED = /^'*(?:[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]|$)/;
const UNGUARDED = /^'+(?:[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]|$)/;

export const guarded = (text: string): string => (GUARDED.test(text) ? `'${text}` : text);
export const unguarded = (cell: string): string => (UNGUARDED.test(cell) ? cell.slice(1) : cell);

/** A value as a cell. Numbers are no formulas, whatever their sign. */
export function cellOf(value: Json): string {
  if (typeof value === 'number') return String(value);
  return guarded(typeof value === 'string' ? value : JSON.stringify(value));
}

/** Thrown with what is wrong with a cell. */
export class CellFault extends Error {}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const DECIMAL_COMMA = /^[+-]?\d*,\d+$/;

/** Where commas separate no cells, `0,5` is a number of its country. */
export function numberIn(cell: string, mayHaveComma: boolean): number {
  const text = unguarded(cell.trim()).trim();
  const plain = mayHaveComma && DECIMAL_COMMA.test(text) ? text.replace(',', '.') : text;
  const number = NUMBER.test(plain) ? Number(plain) : NaN;
  if (!Number.isFinite(number)) throw new CellFault('must be a number');
  return number;
}

/** A value of this type. A reference is its JSON. */
export function valueIn(cell: string, type: VariableDefinition['value_type'], mayHaveComma: boolean): Json {
  if (type === 'numbers') return numberIn(cell, mayHaveComma);
  const text = unguarded(cell);
  return type === 'images' && text.trimStart().startsWith('{') ? referenceIn(text) : text;
}

function referenceIn(text: string): JsonObject {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    throw new CellFault('must be an address or the JSON of a reference');
  }
}

const FLAGS: Readonly<Record<string, boolean>> = { true: true, false: false, 1: true, 0: false };

export function flagIn(cell: string): boolean {
  const flag = FLAGS[cell.trim().toLowerCase()];
  if (flag === undefined) throw new CellFault('must be true or false');
  return flag;
}

/** One of these words, in any case. */
export function wordIn<Word extends string>(cell: string, words: readonly Word[]): Word {
  const word = words.find((each) => each === cell.trim().toLowerCase());
  if (!word) throw new CellFault(`must be ${words.join(', ')}`);
  return word;
}
