/**
 * Something that keeps a promise, and how to take it away: `find`, which stands once in `file`, becomes
 * `replace`. At least one test of the spec files `red` must fail without it.
 */
export interface Guard {
  name: string;
  file: string;
  find: string;
  replace: string;
  red: string[];
}
