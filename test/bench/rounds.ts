/** What one measurement found, by the keys of its figures. */
export type Sample = Record<string, number>;

/** One of those that are compared. */
export interface Contender {
  name: string;
  measure(): Promise<Sample>;
}

/**
 * Measures all contenders in turn, `count` times: first, second, first, second, … What the machine does
 * beside falls on all of them, so the ratios of one round mean more than the absolute numbers.
 */
export async function interleave(
  count: number,
  contenders: Contender[],
  onMeasured: (round: number, contender: Contender, sample: Sample) => void = () => undefined,
): Promise<Sample[][]> {
  const samples: Sample[][] = contenders.map(() => []);
  for (let round = 1; round <= count; round++) {
    for (const [place, contender] of contenders.entries()) {
      const sample = await contender.measure();
      samples[place]?.push(sample);
      onMeasured(round, contender, sample);
    }
  }
  return samples;
}
