/**
 * A statement that each connection parses once and then calls by its name: for what runs on every
 * request or step, where planning costs more than running.
 */
export interface Prepared {
  readonly name: string;
  readonly text: string;
}

/** `name` is unique in the program. */
export const prepared = (name: string, text: string): Prepared => ({ name, text });

export const isPrepared = (sql: string | Prepared): sql is Prepared => typeof sql !== 'string';
