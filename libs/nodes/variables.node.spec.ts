import type { NodeContext } from './node.js';
import { checkPayload } from './payload.js';
import { variablesNode } from './variables.node.js';

const palette = { name: 'palette', type: 'pick', value_type: 'strings', value: { values: ['red', 'blue'] } };

describe('variables', () => {
  it('gives values and traits that depend on the hash', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        variablesNode.run({ payload: { variables: [palette] }, hash: `oo${n}` } as NodeContext<never>),
      ),
    );
    expect(outcomes).toContainEqual({
      kind: 'done',
      value: { palette: 'red' },
      traits: [{ trait_type: 'palette', value: 'red' }],
    });
    expect(outcomes).toContainEqual(expect.objectContaining({ value: { palette: 'blue' } }));
  });

  it('names faults of its list', () => {
    const uneven = { ...palette, value: { values: ['red'], display_names: ['Red', 'Blue'] } };
    expect(checkPayload(variablesNode, { variables: [palette] }).faults).toEqual([]);
    expect(checkPayload(variablesNode, { variables: [uneven] }).faults).toEqual([
      { path: 'variables[0].value.display_names', message: expect.stringContaining('as many entries') },
    ]);
    expect(checkPayload(variablesNode, {}).faults).toHaveLength(1);
  });
});
