import { Seal } from './seal.js';

const KEY = 'k'.repeat(32);
const seal = new Seal(KEY, 'tests');

describe(Seal.name, () => {
  it.each(['', 'sk-1', 'ü🦊', 'x'.repeat(100_000)])('gives back what was sealed', (text) => {
    expect(seal.open(seal.close(text, 'a/b'), 'a/b')).toBe(text);
  });

  it('seals the same differently each time, and shows nothing of it', () => {
    const [one, other] = [seal.close('sk-secret', 'a'), seal.close('sk-secret', 'a')];
    expect(one.equals(other)).toBe(false);
    expect(one.includes('sk-secret')).toBe(false);
  });

  it('opens for no other owner, key or purpose', () => {
    const sealed = seal.close('sk-secret', 'a/KEY');
    expect(() => seal.open(sealed, 'b/KEY')).toThrow();
    expect(() => new Seal('l'.repeat(32), 'tests').open(sealed, 'a/KEY')).toThrow();
    expect(() => new Seal(KEY, 'others').open(sealed, 'a/KEY')).toThrow();
  });

  it('knows equal texts by digests that take the key to make', () => {
    const [digest] = seal.digests('a');
    expect(seal.digests('a')).toEqual([digest]);
    expect(seal.digests('b')).not.toEqual([digest]);
    expect(new Seal(KEY, 'others').digests('a')).not.toEqual([digest]);
    expect(new Seal(['n'.repeat(32), KEY], 'tests').digests('a')).toEqual([expect.not.stringMatching(digest), digest]);
  });

  it('notices every changed byte', () => {
    const sealed = seal.close('sk', 'a');
    for (let place = 0; place < sealed.length; place++) {
      const changed = Buffer.from(sealed);
      changed[place]! ^= 1;
      expect(() => seal.open(changed, 'a')).toThrow();
      expect(() => seal.open(sealed.subarray(0, place), 'a')).toThrow();
    }
  });

  it('opens what lies under an older master key, and brings it under the newest', () => {
    const rotated = new Seal(['n'.repeat(32), KEY], 'tests');
    const sealed = seal.close('sk-secret', 'a');
    expect(rotated.open(sealed, 'a')).toBe('sk-secret');
    const renewed = rotated.renewed(sealed, 'a')!;
    expect(new Seal('n'.repeat(32), 'tests').open(renewed, 'a')).toBe('sk-secret');
    expect(rotated.renewed(renewed, 'a')).toBeNull();
    expect(() => rotated.renewed(sealed, 'b')).toThrow();
  });
});
