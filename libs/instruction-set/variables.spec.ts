import { generateHash } from './hash.js';
import type { VariableDefinition } from './instruction-set.js';
import { checkVariables, resolveVariables } from './variables.js';

const HASH = 'oo123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQ';
const manyHashes = Array.from({ length: 600 }, () => generateHash());

const define = (changes: Partial<VariableDefinition>): VariableDefinition => ({
  name: 'palette',
  type: 'pick',
  value_type: 'strings',
  value: { values: ['red', 'green', 'blue'] },
  ...changes,
});
const numbers = (values: number[], changes: Partial<VariableDefinition> = {}) =>
  define({ type: 'range', value_type: 'numbers', value: { values }, ...changes });
const drawn = (definition: VariableDefinition) =>
  manyHashes.map((hash) => resolveVariables([definition], hash).values[definition.name]);

describe(resolveVariables, () => {
  it('gives a record as it is, without traits', () => {
    const record = { steps: 20, style: { name: 'ink' } };
    expect(resolveVariables(record, HASH)).toEqual({ values: record, traits: [] });
  });

  it('picks by hash and name only: neither order, nor company, nor another try changes it', () => {
    const size = numbers([1, 100], { name: 'size' });
    const both = resolveVariables([define({}), size], HASH);
    expect(resolveVariables([size, define({})], HASH).values).toEqual(both.values);
    expect(resolveVariables([define({})], HASH).values).toEqual({ palette: both.values['palette'] });
    expect(resolveVariables([define({ name: 'other' }), size], HASH).values['size']).toBe(
      both.values['size'],
    );
    expect(drawn(define({ name: 'other' }))).not.toEqual(drawn(define({})));
  });

  it('picks every value of a pick about as often', () => {
    for (const value of ['red', 'green', 'blue']) {
      expect(drawn(define({})).filter((item) => item === value).length).toBeGreaterThan(130);
    }
  });

  it('picks in proportion to weights, and never what weighs nothing', () => {
    const values = drawn(
      define({ type: 'weighted_pick', value: { values: ['a', 'b', 'c'], weights: [9, 0, 1] } }),
    );
    const count = (value: string) => values.filter((item) => item === value).length;
    expect(count('b')).toBe(0);
    expect(count('a')).toBeGreaterThan(480);
    expect(count('c')).toBeGreaterThan(20);
  });

  it('draws any number of a range, or steps with both ends', () => {
    const free = drawn(numbers([-1, 1])) as number[];
    expect(Math.min(...free)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...free)).toBeLessThan(1);
    expect(new Set(free).size).toBeGreaterThan(590);
    expect([...new Set(drawn(numbers([0, 0.5, 0.1])))].sort()).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5]);
    expect([...new Set(drawn(numbers([1, 4, 2])))].sort()).toEqual([1, 3]);
  });

  it('takes the test value, else the first, of a locked variable in every edition', () => {
    expect(new Set(drawn(define({ lock_value: true, test_value: 'green' })))).toEqual(new Set(['green']));
    expect(new Set(drawn(define({ lock_value: true })))).toEqual(new Set(['red']));
    expect(new Set(drawn(define({ test_value: 'green' }))).size).toBe(3);
  });

  it('shows what was picked as a trait, by its display name', () => {
    const values = [1, 2];
    const named = define({
      value_type: 'numbers',
      lock_value: true,
      value: { values, display_names: ['One', 'Two'] },
    });
    expect(resolveVariables([named], HASH).traits).toEqual([{ trait_type: 'palette', value: 'One' }]);
    expect(resolveVariables([numbers([3, 3, 1])], HASH).traits).toEqual([
      { trait_type: 'palette', value: 3 },
    ]);
    expect(resolveVariables([define({ type: 'fixed' })], HASH)).toEqual({
      values: { palette: 'red' },
      traits: [],
    });
  });

  it('makes no trait of a picture without a name', () => {
    const image = define({ value_type: 'images', value: { values: [{ $ref: 'art' }] } });
    expect(resolveVariables([image], HASH)).toEqual({ values: { palette: { $ref: 'art' } }, traits: [] });
  });
});

describe(checkVariables, () => {
  it('accepts both forms', () => {
    const weighted = define({
      name: 'b',
      type: 'weighted_pick',
      value: { values: ['x', 'y'], weights: [0, 1] },
    });
    expect(checkVariables([define({}), weighted, numbers([0, 1], { name: 'c' })])).toEqual([]);
    expect(checkVariables([define({ value: { values: ['x'], display_names: [], weights: [] } })])).toEqual(
      [],
    );
    expect(checkVariables({ a: 1, 'b c': null })).toEqual([]);
  });

  it.each<[string, Partial<VariableDefinition>, string]>([
    [
      'weights without a sum',
      { type: 'weighted_pick', value: { values: ['a'], weights: [0] } },
      '[0].value.weights',
    ],
    ['missing weights', { type: 'weighted_pick' }, '[0].value.weights'],
    ['negative weights', { value: { values: ['a'], weights: [-1] } }, '[0].value.weights[0]'],
    [
      'other numbers of weights',
      { type: 'weighted_pick', value: { values: ['a'], weights: [1, 2] } },
      '[0].value.weights',
    ],
    [
      'other numbers of display names',
      { value: { values: ['a', 'b'], display_names: ['A'] } },
      '[0].value.display_names',
    ],
    ['no values', { value: { values: [] } }, '[0].value.values'],
    ['an unknown type', { type: 'dice' as 'pick' }, '[0].type'],
    ['an unknown type of value', { value_type: 'sounds' as 'strings' }, '[0].value_type'],
    ['a value of another type', { value: { values: ['a', 1] } }, '[0].value.values[1]'],
    ['a test value of another type', { test_value: 1 }, '[0].test_value'],
    ['a range of texts', { type: 'range', value: { values: ['1', '2'] } }, '[0].value_type'],
    [
      'a range upside down',
      { type: 'range', value_type: 'numbers', value: { values: [2, 1] } },
      '[0].value.values',
    ],
    [
      'a range without a step forward',
      { type: 'range', value_type: 'numbers', value: { values: [1, 2, 0] } },
      '[0].value.values',
    ],
    ['an unknown field', { weight: 1 } as object, '[0].weight'],
    ['no name', { name: '' }, '[0].name'],
    ['a name that texts cannot say', { name: 'a}b' }, '[0].name'],
    ['a name that is no key', { name: '__proto__' }, '[0].name'],
  ])('refuses %s', (_name, changes, path) => {
    expect(checkVariables([define(changes)])).toEqual([{ path, message: expect.any(String) }]);
  });

  it('tells all faults at once, also names that are there twice', () => {
    const faults = checkVariables([
      define({}),
      define({ value: { values: [1] } }),
      define({ name: 'x', type: 'range' }),
    ]);
    expect(faults.map(({ path }) => path)).toEqual(['[1].value.values[0]', '[1].name', '[2].value_type']);
  });

  it('refuses a list of things that are no variables', () => {
    const faults = checkVariables([null, 'text', define({})] as unknown as VariableDefinition[]);
    expect(faults.map(({ path }) => path)).toEqual(['[0]', '[1]']);
  });

  it('refuses more than 200 names and more than 256 KiB', () => {
    const record = Object.fromEntries(Array.from({ length: 201 }, (_, n) => [`v${n}`, n]));
    expect(checkVariables(record)).toEqual([{ path: '', message: expect.stringContaining('200') }]);
    expect(checkVariables(Object.keys(record).map((name) => define({ name })))).toHaveLength(1);
    expect(checkVariables({ text: 'é'.repeat(131_073) })).toEqual([
      { path: '', message: expect.stringContaining('256') },
    ]);
    expect(checkVariables(JSON.parse('{"__proto__":1}'))).toHaveLength(1);
  });
});
