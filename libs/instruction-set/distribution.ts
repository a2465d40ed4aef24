import { setImmediate } from 'node:timers/promises';
import type { Trait } from '#libs/nodes/node.js';
import type { Variables } from './instruction-set.js';
import { resolveVariables } from './variables.js';

/** How often a value came out. */
export interface ValueCount {
  value: Trait['value'];
  count: number;
  /** Of all hashes, as a part of 1. */
  share: number;
}

/** What a variable gave. */
export interface TraitDistribution {
  trait_type: string;
  /** How many values are different. */
  distinct: number;
  /** The most common first, 100 at most. */
  values: ValueCount[];
  /** Where all values are numbers. */
  range: { min: number; max: number; mean: number } | null;
}

const SHOWN_VALUES = 100;
/** Other requests get a turn after so much. */
const PICKS_AT_ONCE = 2_000;

/** What the variables' traits would be in the editions of these hashes. Nothing is rendered. */
export async function distributionOf(variables: Variables, hashes: string[]): Promise<TraitDistribution[]> {
  const counts = new Map<string, Map<Trait['value'], number>>();
  const atOnce = Math.ceil(PICKS_AT_ONCE / Math.max(1, Object.keys(variables).length));
  for (const [i, hash] of hashes.entries()) {
    for (const { trait_type, value } of resolveVariables(variables, hash).traits) {
      const values = counts.get(trait_type) ?? new Map<Trait['value'], number>();
      counts.set(trait_type, values.set(value, (values.get(value) ?? 0) + 1));
    }
    if ((i + 1) % atOnce === 0) await setImmediate();
  }
  return [...counts].map(([trait_type, values]) => summaryOf(trait_type, values, hashes.length));
}

function summaryOf(trait_type: string, values: Map<Trait['value'], number>, hashes: number): TraitDistribution {
  const common = [...values].sort(([, a], [, b]) => b - a).slice(0, SHOWN_VALUES);
  return {
    trait_type,
    distinct: values.size,
    values: common.map(([value, count]) => ({ value, count, share: count / hashes })),
    range: rangeOf(values),
  };
}

function rangeOf(values: Map<Trait['value'], number>): TraitDistribution['range'] {
  const numbers = [...values].filter((entry): entry is [number, number] => typeof entry[0] === 'number');
  if (numbers.length < values.size) return null;
  const all = numbers.reduce((sum, [, count]) => sum + count, 0);
  return {
    min: Math.min(...numbers.map(([value]) => value)),
    max: Math.max(...numbers.map(([value]) => value)),
    mean: numbers.reduce((sum, [value, count]) => sum + value * (count / all), 0),
  };
}
