import { validate } from 'uuid';
import type { AppError } from '#libs/errors/app-error.js';

const LARGEST_BIGINT = 9_223_372_036_854_775_807n;

/** A UUID in lower case. What does not parse is as unknown as an id that does not exist. */
export function parseUuid(id: string, notFound: () => AppError): string {
  if (!validate(id)) throw notFound();
  return id.toLowerCase();
}

/** A decimal id of a `bigint` column (assets, components, ledger entries), as the string it came in. */
export function parseNumericId(id: string, notFound: () => AppError): string {
  if (!/^[1-9]\d{0,18}$/.test(id) || BigInt(id) > LARGEST_BIGINT) throw notFound();
  return id;
}
