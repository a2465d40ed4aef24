import { distributionOf } from './distribution.js';
import { generateHash } from './hash.js';
import type { VariableDefinition } from './instruction-set.js';
import { resolveVariables } from './variables.js';

const HASHES = Array.from({ length: 1_000 }, (_, i) => `0x${i.toString(16).padStart(64, '0')}`);

const variable = (
  name: string,
  type: VariableDefinition['type'],
  value: VariableDefinition['value'],
): VariableDefinition => ({
  name, type, value, value_type: typeof value.values[0] === 'number' ? 'numbers' : 'strings',
});

describe(distributionOf, () => {
  it('counts what the editions of these hashes would get', async () => {
    const variables = [
      variable('Palette', 'pick', { values: ['Ink', 'Ochre', 'Salt'] }),
      variable('Grain', 'range', { values: [0, 10, 5] }),
    ];
    const report = await distributionOf(variables, HASHES);
    const traits = HASHES.flatMap((hash) => resolveVariables(variables, hash).traits);
    for (const { trait_type, values, distinct } of report) {
      expect(distinct).toBe(3);
      for (const { value, count, share } of values) {
        const expected = traits.filter((trait) => trait.trait_type === trait_type && trait.value === value).length;
        expect([count, share]).toEqual([expected, expected / 1_000]);
      }
      expect(values.reduce((sum, { count }) => sum + count, 0)).toBe(1_000);
    }
    expect(report.map(({ range }) => range)).toEqual([null, { min: 0, max: 10, mean: expect.any(Number) }]);
  });

  it('shows weights as shares, the most common first', async () => {
    const value = { values: ['rare', 'common'], weights: [1, 9] };
    const [report] = await distributionOf([variable('Hat', 'weighted_pick', value)], HASHES);
    expect(report!.values.map((entry) => entry.value)).toEqual(['common', 'rare']);
    expect(report!.values[0]!.share).toBeGreaterThan(0.85);
    expect(report!.values[0]!.share).toBeLessThan(0.95);
  });

  it('shows 100 values of a range without steps, and where it lies', async () => {
    const [report] = await distributionOf([variable('Size', 'range', { values: [2, 4] })], HASHES);
    expect([report!.values.length, report!.distinct > 900]).toEqual([100, true]);
    expect(report!.range!.min).toBeGreaterThanOrEqual(2);
    expect(report!.range!.max).toBeLessThan(4);
    expect(report!.range!.mean).toBeCloseTo(3, 0);
  });

  it('has nothing to say of what is the same in every edition', async () => {
    expect(await distributionOf({ word: 'sand' }, HASHES)).toEqual([]);
    expect(await distributionOf([variable('a', 'fixed', { values: ['x'] })], HASHES)).toEqual([]);
  });

  it('lets other work go on beside 200 variables of 1,000 hashes', async () => {
    const value = { values: Array.from({ length: 50 }, (_, i) => `value ${i}`) };
    const variables = Array.from({ length: 200 }, (_, i) => variable(`v${i}`, 'pick', value));
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const report = await distributionOf(variables, Array.from({ length: 1_000 }, generateHash));
    clearInterval(timer);
    expect([report.length, turns > 20]).toEqual([200, true]);
  });
});
