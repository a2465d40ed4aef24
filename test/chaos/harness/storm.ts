import { SeededRandom, randomStream } from '#libs/instruction-set/random.js';
import type { Tracepoint } from '#libs/tracepoints/tracepoints.js';
import type { Variables } from '../../e2e/processes.js';
import { filesIn, type StoredFiles } from './audit.js';
import { CrashPoints } from './crash-points.js';
import type { Backend, Size } from './scenario.js';
import type { Town } from './town.js';

export interface Figure {
  value: number;
  unit: string;
  atMost: number | null;
}

export interface Weather {
  scenario: string;
  backend: Backend;
  size: Size;
  /** Repeats every choice of the nemesis. When what happens depends on the machine, too. */
  seed: number;
  town: Town;
}

/** One run of one scenario: where it happens, its randomness, and what it has to say afterwards. */
export class Storm {
  readonly backend: Backend;
  readonly size: Size;
  readonly town: Town;
  /** What was done, how often: harm as well as successes. */
  readonly done = new Map<string, number>();
  readonly figures = new Map<string, Figure>();
  readonly faults: string[] = [];
  readonly crashPoints: CrashPoints;
  /** Jobs that clients hold a receipt of; set, AUDIT compares them with the rows. */
  receipts: ReadonlySet<string> | null = null;
  /** Where AUDIT finds the files: in the town's folder, unless the storm keeps them elsewhere. */
  files: StoredFiles;
  private readonly endings: Array<() => Promise<unknown>> = [];
  private readonly least = new Map<string, number>();
  private readonly streams = new Map<string, SeededRandom>();

  constructor(private readonly weather: Weather) {
    ({ backend: this.backend, size: this.size, town: this.town } = weather);
    this.files = filesIn(this.town.storage);
    this.crashPoints = new CrashPoints(weather.town.folder);
  }

  /** Seeded draws for `purpose`; drawing for one moves no other. */
  random(purpose: string): SeededRandom {
    const found = this.streams.get(purpose);
    if (found) return found;
    const { seed, scenario, backend } = this.weather;
    const stream = new SeededRandom(randomStream(`${seed}`, `${scenario}/${backend}/${purpose}`));
    this.streams.set(purpose, stream);
    return stream;
  }

  /** By the size of this run. */
  sized<Value>(full: Value, tenth: Value): Value {
    return this.size === 'full' ? full : tenth;
  }

  /** Variables for a process that is to die at `point`; the storm fails if that never happens. */
  crashAt(point: Tracepoint, options?: { nth?: number; jobsIn?: string }): Variables {
    return this.crashPoints.arm(point, options);
  }

  did(what: string, times = 1): void {
    this.done.set(what, (this.done.get(what) ?? 0) + times);
  }

  /** Safety alone is cheap: a storm in which nothing succeeds, or nothing is harmed, proves nothing. */
  mustReach(what: string, times: number): void {
    this.least.set(what, times);
  }

  /** Whether all that must be reached has been: a storm may go on until then. */
  hasReachedAll(): boolean {
    return [...this.least].every(([what, times]) => (this.done.get(what) ?? 0) >= times);
  }

  figure(name: string, value: number, unit: string, atMost: number | null = null): void {
    this.figures.set(name, { value, unit, atMost });
  }

  /** Something that a promise rules out; the storm goes on, and fails. */
  fault(text: string): void {
    this.faults.push(text);
  }

  /** What the storm has started itself, and ends once AUDIT is through and no process runs any more. */
  afterwards(end: () => Promise<unknown>): void {
    this.endings.push(end);
  }

  async end(): Promise<void> {
    for (const end of this.endings) await end();
  }

  /**
   * All that speaks against this run, beside AUDIT. How much of the harm a tenth meets is left to chance and to
   * the machine, so of that it only has to be shown that something was made.
   */
  verdict(): string[] {
    const late = [...this.figures]
      .filter(([, { value, atMost }]) => atMost !== null && !(value <= atMost))
      .map(([name, { value, unit, atMost }]) => `${name}: ${round(value)} ${unit}, more than ${atMost} ${unit}`);
    const isFull = this.size === 'full';
    const least = isFull ? [...this.least] : [...this.least.keys()].filter((what) => what === MADE).map(oneOf);
    const missed = least
      .filter(([what, times]) => (this.done.get(what) ?? 0) < times)
      .map(([what, times]) => `${what}: ${this.done.get(what) ?? 0}, at least ${times} were to be seen`);
    const unhit = [...this.crashPoints.hits()]
      .filter(([, hits]) => isFull && hits === 0)
      .map(([point]) => `${point} was armed but never hit`);
    return [...this.faults, ...missed, ...unhit, ...late];
  }
}

const MADE = 'generations completed';
const oneOf = (what: string): [string, number] => [what, 1];

export const round = (value: number): number => Math.round(value * 100) / 100;

/** The smallest value that `share` of the values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
