import type { Bench } from './bench.js';
import type { Figure } from './figure.js';

/** One thing that is measured: `npm run bench -- <name>`. */
export interface Subject {
  name: string;
  /** What is compared with what, in a sentence. */
  title: string;
  run(bench: Bench): Promise<SubjectReport>;
}

export interface SubjectReport {
  figures: Figure[];
  /** What is compared, where it is not a floor and Platen. */
  columns?: [string, string];
  /** What a reader has to know beside the numbers. */
  notes?: string[];
  /** What the time goes to, where that was asked for. */
  profile?: string;
}
