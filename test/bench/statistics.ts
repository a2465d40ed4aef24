/** The middle value; of an even number the mean of the two in the middle. `NaN` of none. */
export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  if (Number.isInteger(half)) return ((sorted[half - 1] ?? NaN) + (sorted[half] ?? NaN)) / 2;
  return sorted[Math.floor(half)] ?? NaN;
}

/** The value that `share` (0 to 1) of all are not above: nearest rank. `NaN` of none. */
export function percentile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/** What was measured of one thing in all rounds. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

export const spreadOf = (values: number[]): Spread => ({
  median: median(values),
  min: values.length > 0 ? Math.min(...values) : NaN,
  max: values.length > 0 ? Math.max(...values) : NaN,
});

/** Platen to floor, round by round: both of a pair were measured within seconds of each other. */
export function ratiosOf(platen: number[], floor: number[]): number[] {
  if (platen.length !== floor.length) throw new Error('A round lacks one of its two measurements');
  return platen.map((value, round) => value / (floor[round] as number));
}
