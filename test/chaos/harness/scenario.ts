import type { Storm } from './storm.js';

/** What carries queue, events and rate limits: Redis, or Postgres alone. */
export const BACKENDS = ['redis', 'postgres'] as const;
export type Backend = (typeof BACKENDS)[number];

/** `full` is what is promised before a release; `tenth` is what CI has time for. */
export const SIZES = ['full', 'tenth'] as const;
export type Size = (typeof SIZES)[number];

/**
 * One kind of bad weather. To add one: a file in `scenarios/`, a line in its index. `run` starts what it
 * needs on `storm.town`, puts load on it, does its harm, and returns once everything should have ended.
 * After that AUDIT looks at what is left, and the storm fails on any violation, on a crash point that was
 * armed but never hit, on a count below what it had to reach, and on a figure above its limit.
 */
export interface Scenario {
  name: string;
  /** What holds whatever happens: one sentence for the report. */
  promise: string;
  /** Those on which it makes sense; both, unless it says otherwise. */
  backends?: readonly Backend[];
  /** It gets a Postgres of its own, then. */
  stopsPostgres?: boolean;
  run(storm: Storm): Promise<void>;
}
