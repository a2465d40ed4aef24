import { knownFields } from './known-fields.js';

describe('knownFields', () => {
  it('fills in what is the same in every edition, as the step will', () => {
    const payload = { a: '{{n}}', b: 'x{{n}}y{{o}}', c: 3, d: null, e: ['f'], g: 'plain' };
    expect(knownFields(payload, { n: 1, o: { p: 2 } })).toEqual({
      fields: { a: 1, b: 'x1y{"p":2}', c: 3, d: null, e: ['f'], g: 'plain' }, unknown: [],
    });
  });

  it('names what another step or a hash decides', () => {
    const payload = { a: { $ref: 1 }, b: '{{$ref:1}}', c: 'x {{gone}}', d: [{ e: '{{n}}' }], f: { g: { $ref: 1 } }, h: 1 };
    expect(knownFields(payload, { n: 1 })).toEqual({ fields: { h: 1 }, unknown: ['a', 'b', 'c', 'd', 'f'] });
  });

  it('knows the fixed ones of a list', () => {
    const list = [
      { name: 'n', type: 'fixed' as const, value_type: 'numbers' as const, value: { values: [7] } },
      { name: 'p', type: 'pick' as const, value_type: 'numbers' as const, value: { values: [1, 2] } },
    ];
    expect(knownFields({ a: '{{n}}', b: '{{p}}' }, list)).toEqual({ fields: { a: 7 }, unknown: ['b'] });
  });
});
