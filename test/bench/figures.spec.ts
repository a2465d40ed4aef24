import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { figureOf, judge, type FigureSpec } from './figure.js';
import { interleave, type Sample } from './rounds.js';
import { median, percentile, ratiosOf, spreadOf } from './statistics.js';
import { subjects } from './subjects/index.js';
import { readable, tableOf } from './table.js';

const RATE: FigureSpec = {
  key: 'rate', name: 'Jobs', unit: '1/s', goal: { bar: 0.5, moonshot: 1, better: 'higher' },
};
const rates = (...values: number[]): Sample[] => values.map((rate) => ({ rate }));

describe('statistics', () => {
  it('take the middle, of an even number the mean of the two', () => {
    expect([median([5, 1, 3]), median([4, 1, 3, 2]), median([7])]).toEqual([3, 2.5, 7]);
    expect(median([])).toBeNaN();
  });

  it('take percentiles by the nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, n) => 100 - n);
    expect([0.5, 0.99, 1].map((share) => percentile(hundred, share))).toEqual([50, 99, 100]);
    expect(percentile([3], 0.99)).toBe(3);
  });

  it('tell the least and the greatest beside the middle', () => {
    expect(spreadOf([3, 9, 1])).toEqual({ median: 3, min: 1, max: 9 });
  });
});

describe('ratios', () => {
  it('pair what was measured in the same round', () => {
    // The ratio of the medians would be 1: a machine that was slow for one round has no say.
    expect(ratiosOf([50, 100, 400], [100, 100, 800])).toEqual([0.5, 1, 0.5]);
    expect(figureOf(RATE, rates(100, 100, 800), rates(50, 100, 400)).ratio).toEqual({ median: 0.5, min: 0.5, max: 1 });
  });

  it('refuse rounds that lack a side, and figures that were not measured', () => {
    expect(() => ratiosOf([1, 2], [1])).toThrow('A round lacks one of its two measurements');
    expect(() => figureOf({ ...RATE, key: 'other' }, rates(1), rates(1))).toThrow('other was not measured');
  });

  it('are held against their goals, on the side that is the good one', () => {
    const lower = { bar: 2, moonshot: 1, better: 'lower' } as const;
    expect([1.2, 1, 0.5, 0.49].map((ratio) => judge(ratio, RATE.goal))).toEqual(['moonshot', 'moonshot', 'bar', 'missed']);
    expect([0.9, 1, 2, 2.1].map((ratio) => judge(ratio, lower))).toEqual(['moonshot', 'moonshot', 'bar', 'missed']);
    expect(judge(1, undefined)).toBe('');
    expect(judge(NaN, RATE.goal)).toBe('missed');
  });
});

it('rounds alternate, so that what the machine does beside falls on all', async () => {
  const order: string[] = [];
  const contender = (name: string) => ({
    name,
    measure: async () => {
      order.push(name);
      return { rate: order.length };
    },
  });
  const samples = await interleave(2, [contender('floor'), contender('Platen')]);
  expect(order).toEqual(['floor', 'Platen', 'floor', 'Platen']);
  expect(samples).toEqual([rates(1, 3), rates(2, 4)]);
});

it('numbers are told with three digits that count', () => {
  expect([1234.6, 99.95, 0.012345, 2, NaN].map(readable)).toEqual(['1235', '100', '0.0123', '2', '–']);
});

it('the table tells medians, spreads, the goal and the verdict', () => {
  const [head, line, row] = tableOf([figureOf(RATE, rates(100, 200, 300), rates(50, 120, 210))]).split('\n');
  const cells = (text = '') => text.split('|').map((cell) => cell.trim()).slice(1, -1);
  expect(cells(head)).toEqual(['figure', 'floor', 'Platen', 'ratio', 'bar', 'moonshot', '']);
  expect(cells(line).every((cell) => /^-*$/.test(cell))).toBe(true);
  expect(cells(row)).toEqual([
    'Jobs, 1/s', '200 [100..300]', '120 [50..210]', '0.6 [0.5..0.7]', '≥ 0.5', '≥ 1', 'bar',
  ]);
});

it('every subject is one file, and listed', () => {
  const files = readdirSync(join(import.meta.dirname, 'subjects')).filter((name) => name !== 'index.ts');
  expect(subjects.map(({ name }) => `${name}.ts`).sort()).toEqual(files.sort());
});
