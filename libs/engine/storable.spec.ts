import fc from 'fast-check';
import { storableJson, storableText, storableTraits } from './storable.js';

describe('storable', () => {
  it('leaves text as it is but for what Postgres cannot hold', () => {
    expect(storableText('a 🦊 b')).toBe('a 🦊 b');
    expect(storableText('a\0b\uD800c\uDC00')).toBe('a\uFFFDb\uFFFDc\uFFFD');
  });

  it('cleans values and keys at any depth', () => {
    expect(storableJson({ 'k\0': ['x\0', { deep: '\uDFFF' }], n: 1, none: null })).toEqual({
      'k\uFFFD': ['x\uFFFD', { deep: '\uFFFD' }], n: 1, none: null,
    });
    expect(storableJson(undefined)).toBeNull();
    expect(storableJson(Number.NaN)).toBeNull();
  });

  it('changes nothing of a clean value', () => {
    const clean = fc.jsonValue().filter((value) => !/\\u0000|\\ud[89a-f]/i.test(JSON.stringify(value)));
    fc.assert(fc.property(clean, (value) => expect(storableJson(value)).toEqual(JSON.parse(JSON.stringify(value)))));
  });

  it('bounds traits', () => {
    const traits = Array.from({ length: 500 }, () => ({ trait_type: 'T'.repeat(5_000), value: '\0'.repeat(5_000) }));
    const kept = storableTraits(traits);
    expect(kept).toHaveLength(200);
    expect(kept[0]).toEqual({ trait_type: 'T'.repeat(1_000), value: '\uFFFD'.repeat(1_000) });
  });
});
