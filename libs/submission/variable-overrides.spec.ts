import type { VariableDefinition } from '#libs/instruction-set/instruction-set.js';
import { overrideFaults, replaceVariables } from './variable-overrides.js';

const size: VariableDefinition = {
  name: 'size', type: 'weighted_pick', value_type: 'numbers', value: { values: [1, 2], weights: [1, 3] },
};
const color: VariableDefinition = {
  name: 'color', type: 'pick', value_type: 'strings', value: { values: ['red', 'blue'] },
};

describe('replaceVariables', () => {
  it('replaces values of a record and leaves the others', () => {
    expect(replaceVariables({ size: 1, color: 'red' }, { color: 'blue' })).toEqual({ size: 1, color: 'blue' });
  });

  it('makes a picked variable the same in every edition', () => {
    expect(replaceVariables([size, color], { size: 7 })).toEqual([
      { name: 'size', type: 'fixed', value_type: 'numbers', value: { values: [7] } },
      color,
    ]);
  });
});

describe('overrideFaults', () => {
  it('names every unknown variable and every value of another type', () => {
    expect(overrideFaults([size, color], { size: 'big', shape: 'round', toString: 1 })).toEqual([
      { field: 'variables.shape', message: 'is not a variable of this collection' },
      { field: 'variables.toString', message: 'is not a variable of this collection' },
      { field: 'variables.size', message: 'must be a number' },
    ]);
    expect(overrideFaults({}, { shape: 'round' }).map(({ field }) => field)).toEqual(['variables.shape']);
    expect(overrideFaults({ size: 1 }, { size: 2 })).toEqual([]);
  });
});
