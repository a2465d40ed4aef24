import type { FieldFault } from './app-error.js';

const MAX_FAULTS = 100;
const MAX_FIELD_LENGTH = 500;
const MAX_MESSAGE_LENGTH = 1_000;

/**
 * What an answer says of so many faults: the first hundred, and how many more there are. Fields and messages
 * quote the request, so that they are cut: an answer must not outgrow what it answers.
 */
export function faultsToTell(faults: readonly FieldFault[]): FieldFault[] {
  const told = faults.slice(0, MAX_FAULTS).map(({ field, message }) => ({
    field: cut(field, MAX_FIELD_LENGTH),
    message: cut(message, MAX_MESSAGE_LENGTH),
  }));
  const untold = faults.length - told.length;
  return untold > 0 ? [...told, { field: 'body', message: `and ${untold} more faults` }] : told;
}

const cut = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length)}…` : text;
