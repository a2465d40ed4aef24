import { randomBytes, randomUUID } from 'node:crypto';
import type { InstructionSet } from '#libs/instruction-set/instruction-set.js';
import { CollectionSeal, LOST } from './collection-seal.js';
import { openedGenIn, openedSet, storedSet } from './sealed-set.js';

const dataKey = randomBytes(32);
const seal = new CollectionSeal(dataKey, randomUUID());

describe(CollectionSeal.name, () => {
  it.each([[null], [0], ['ü🦊'], [[1, [null]]], [{ a: { $enc: 'no' } }]])('gives %j back', (value) => {
    const sealed = seal.close(value, 'output');
    expect(JSON.stringify(sealed)).toMatch(/^\{"\$enc":"[\w+/]+=*"\}$/);
    expect(seal.open(sealed, 'output')).toEqual(value);
  });

  it('opens in no other place, for no other collection and under no other key', () => {
    const sealed = seal.close('secret', 'output/1');
    const others = [new CollectionSeal(dataKey, randomUUID()), new CollectionSeal(randomBytes(32), seal.collectionId)];
    expect(() => seal.open(sealed, 'output/2')).toThrow();
    for (const other of others) expect(() => other.open(sealed, 'output/1')).toThrow();
    for (const value of ['plain', null, { $enc: 'AAAA' }]) expect(() => seal.open(value, 'output/1')).toThrow();
  });

  it('leaves members in the clear that the database needs, and lets none of them stand for a hidden one', () => {
    const sealed = seal.closeMembers({ code: 'BAD', message: 'secret', field: undefined } as never, ['code'], 'error');
    expect(sealed).toEqual({ code: 'BAD', $enc: expect.any(String) });
    expect(seal.openMembers(sealed, 'error')).toEqual({ code: 'BAD', message: 'secret' });
    expect(seal.openMembers({ ...sealed, message: 'forged' }, 'error')).toMatchObject({ message: 'secret' });
  });

  it('seals equal traits the same, so that they are counted unseen, and others apart', () => {
    const traits = [
      { trait_type: 'Mood', value: 'calm' }, { trait_type: 'Mood', value: 'wild' }, { trait_type: 'Rings', value: 3 },
      { trait_type: 'Loud', value: true }, { trait_type: 'Rings', value: '3' },
    ];
    const sealed = seal.closeTraits(traits);
    expect(seal.closeTraits(traits)).toEqual(sealed);
    expect(new Set(sealed.map(({ value }) => value)).size).toBe(5);
    expect(sealed[0]!.trait_type).toBe(sealed[1]!.trait_type);
    expect(JSON.stringify(sealed)).not.toMatch(/Mood|calm|Rings/);
    expect(seal.openTraits(sealed)).toEqual(traits);
    expect(() => new CollectionSeal(dataKey, randomUUID()).openTraits(sealed)).toThrow();
    expect(() => seal.openTraits(traits)).toThrow('not sealed');
  });

  it('keeps of a set what rows count with, and gives it back whole', () => {
    const set: InstructionSet = {
      version: 'v2', variables: { word: 'sand' },
      steps: [{ id: 1, nodeName: 'p5', nodePayload: { code: 'secret' } }, { id: 2, nodeName: 'p5', nodePayload: {} }],
      generations: { hashes: ['0x1'], generations: 1, use_custom_hashes: true },
      workflows: { mine: { id: 'w', version: 3 } },
    };
    const stored = storedSet(seal, set);
    expect(stored).toEqual({
      generations: set.generations, workflows: set.workflows, steps: [null, null], $enc: expect.any(String),
    });
    expect(openedSet(seal, stored)).toEqual(set);
    expect([storedSet(null, set), openedSet(null, set)]).toEqual([set, set]);
    const asOfAsset = { ...stored, fetched: seal.close([{ url: 'https://a.test' }], 'fetched') } as never;
    expect(openedGenIn(seal, asOfAsset)).toEqual({ ...set, fetched: [{ url: 'https://a.test' }] });
  });

  it('is nothing any more without its key', () => {
    const sealed = seal.closeMembers({ code: 'BAD', message: 'secret' }, ['code'], 'error');
    expect(LOST.openMembers(sealed, 'error')).toEqual({ code: 'BAD' });
    expect([LOST.open(sealed, 'error'), LOST.openTraits([]), LOST.openName('$enc:x')]).toEqual([null, [], null]);
  });
});
