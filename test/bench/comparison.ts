import type { Bench } from './bench.js';
import { figureOf, type FigureSpec } from './figure.js';
import type { Platen } from './platen.js';
import { profile } from './profile/profile.js';
import type { Sample } from './rounds.js';
import type { SubjectReport } from './subject.js';

export interface Comparison {
  subject: string;
  figures: FigureSpec[];
  floor(): Promise<Sample>;
  ours(): Promise<Sample>;
  /** Whose processes and rows a profile looks at. */
  platen: Platen;
}

/** Measures both sides in turn; or, where a profile is asked for, looks into Platen alone. */
export async function compare(bench: Bench, comparison: Comparison): Promise<SubjectReport> {
  const { subject, figures, floor, ours, platen } = comparison;
  if (bench.options.profile) return { figures: [], profile: await profile(subject, platen, ours) };
  const [below = [], own = []] = await bench.measure([
    { name: 'floor', measure: floor },
    { name: 'Platen', measure: ours },
  ]);
  return { figures: figures.map((spec) => figureOf(spec, below, own)) };
}
