import { validate } from 'uuid';
import { fieldError } from '#libs/errors/errors.js';

export interface Page<Item> {
  items: Item[];
  /** Null on the last page. */
  next_cursor: string | null;
}

const TIME = /^(\d{4}-\d{2}-\d{2})[ T]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-](0\d|1[0-4])(:[0-5]\d)?)$/;

/** What a cursor may consist of. Checked, since a forged one must not reach the database as a bad literal. */
const PARTS = {
  /** `timestamptz` as text (`created_at::text`): a JavaScript date would lose the microseconds. */
  time: (part: string) => isDate(TIME.exec(part)?.[1] ?? ''),
  uuid: (part: string) => validate(part),
  name: (part: string) => /^[\w-]{1,100}$/.test(part),
  bigint: (part: string) => /^\d{1,18}$/.test(part),
} as const;
export type CursorPart = keyof typeof PARTS;

/**
 * A page of `rows`, which were read with `limit + 1`: the extra row tells that there is a next page.
 * `cursorOf` gives the sort key of a row, as strings, in the order that `readCursor` names them.
 */
export function toPage<Row, Item = Row>(
  rows: Row[],
  limit: number,
  cursorOf: (row: Row) => string[],
  present: (row: Row) => Item = (row) => row as unknown as Item,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items: shown.map(present), next_cursor: more ? encodeCursor(cursorOf(last)) : null };
}

/** The sort key after which the page begins; null on the first page. 400 naming `cursor` when it is not ours. */
export function readCursor(cursor: string | undefined, parts: readonly CursorPart[]): string[] | null {
  if (cursor === undefined) return null;
  const values = decodeCursor(cursor);
  if (values?.length !== parts.length || !parts.every((part, i) => PARTS[part](values[i] as string))) {
    throw fieldError('cursor', 'is not a cursor of this list');
  }
  return values;
}

/** A day of the calendar: JavaScript would take February 30 for March 2. */
function isDate(day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && day > '0001' && date.toISOString().startsWith(day);
}

export const encodeCursor = (values: string[]) => Buffer.from(JSON.stringify(values)).toString('base64url');

function decodeCursor(cursor: string): string[] | null {
  try {
    const values: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(values) && values.every((value) => typeof value === 'string') ? values : null;
  } catch {
    return null;
  }
}
