import type { Sample } from './rounds.js';
import { ratiosOf, spreadOf, type Spread } from './statistics.js';

/** What a ratio should reach: `bar` at least, `moonshot` is the aim. */
export interface Goal {
  bar: number;
  moonshot: number;
  /** Which side of the goal is the good one. */
  better: 'higher' | 'lower';
}

/** What is measured, and how it is told. */
export interface FigureSpec {
  /** Of the samples. */
  key: string;
  name: string;
  unit: string;
  goal?: Goal;
}

/** One line of the table: Platen, its floor, and their ratio. */
export interface Figure extends FigureSpec {
  floor: Spread;
  platen: Spread;
  ratio: Spread;
  verdict: Verdict;
}

/** How the median of the ratios stands to the goal. */
export type Verdict = 'moonshot' | 'bar' | 'missed' | '';

/** `floor` and `platen` are the samples of the same rounds, in order. */
export function figureOf(spec: FigureSpec, floor: Sample[], platen: Sample[]): Figure {
  const [below, own] = [valuesOf(floor, spec.key), valuesOf(platen, spec.key)];
  const ratio = spreadOf(ratiosOf(own, below));
  return { ...spec, floor: spreadOf(below), platen: spreadOf(own), ratio, verdict: judge(ratio.median, spec.goal) };
}

export function judge(ratio: number, goal: Goal | undefined): Verdict {
  if (!goal) return '';
  const reaches = (aim: number) => (goal.better === 'higher' ? ratio >= aim : ratio <= aim);
  if (reaches(goal.moonshot)) return 'moonshot';
  return reaches(goal.bar) ? 'bar' : 'missed';
}

function valuesOf(samples: Sample[], key: string): number[] {
  return samples.map((sample) => {
    const value = sample[key];
    if (value === undefined) throw new Error(`${key} was not measured`);
    return value;
  });
}
