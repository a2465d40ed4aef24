import { randomUUID } from 'node:crypto';
import type { Trait } from '#libs/nodes/node.js';
import { createCollection } from '../../test/factories/asset.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { finishEditions } from '../../test/factories/edition.js';
import { editionIds, editionsIn, rankEditions, type RankedEdition } from './ranked-editions.js';

let test: TestDatabase;

beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.close());

const userId = randomUUID();
const trait = (trait_type: string, value: Trait['value']): Trait => ({ trait_type, value });
const newCollection = () => createCollection(test.database, userId);
const finish = (collectionId: string, traits: Trait[][], hashes?: string[]) =>
  finishEditions(test.database, { userId, collectionId, traits, hashes });
const ranks = async (
  collectionId: string,
  window: { after?: string; limit?: number } = {},
): Promise<RankedEdition[]> =>
  editionsIn(test.database, await rankEditions(test.database, collectionId), { after: null, limit: 1_000, ...window });

/**
 * OpenRarity's information content, straight from its definition: for each edition, a value of every trait
 * (`null` where it lacks it) and of the number of its traits.
 */
function openRarity(editions: Trait[][]): Array<{ rank: number; score: number }> {
  const names = [...new Set(editions.flatMap((traits) => traits.map(({ trait_type }) => trait_type)))];
  const rows = editions.map((traits) => {
    const values = new Map(traits.map(({ trait_type, value }) => [trait_type, JSON.stringify(value)]));
    return [...names.map((name) => values.get(name) ?? null), values.size];
  });
  const share = (column: number, value: unknown) =>
    rows.filter((row) => row[column] === value).length / rows.length;
  const entropy = rows[0]!
    .flatMap((_, column) => [...new Set(rows.map((row) => row[column]))].map((value) => share(column, value)))
    .reduce((sum, p) => sum - p * Math.log2(p), 0);
  const scores = rows.map((row) => {
    const bits = row.reduce<number>((sum, value, column) => sum - Math.log2(share(column, value)), 0);
    return entropy > 0 ? bits / entropy : 0;
  });
  return scores.map((score) => ({ score, rank: 1 + scores.filter((other) => other > score + 1e-8).length }));
}

describe(rankEditions, () => {
  it('scores and ranks as OpenRarity does, in any collection', async () => {
    for (const [editions, values] of [[30, 3], [60, 8], [40, 2]] as const) {
      const traits = Array.from({ length: editions }, (_, i) =>
        ['Palette', 'Shape', 'Grain'].flatMap((name, column) => {
          const value = (i * 7919 + column * 104_729 + (i % (column + 3)) ** 2) % values;
          return value === column ? [] : [trait(name, column === 1 ? value : `v${value}`)];
        }),
      );
      const collectionId = await newCollection();
      await finish(collectionId, traits);
      const ranked = await ranks(collectionId);
      const expected = openRarity(traits);
      expect(ranked.map(({ rank }) => rank)).toEqual(expected.map(({ rank }) => rank));
      for (const [i, { score }] of ranked.entries()) expect(score).toBeCloseTo(expected[i]!.score, 7);
    }
  });

  it('takes what an edition lacks, and how many traits it has, for rarity', async () => {
    const collectionId = await newCollection();
    const [ink, hat] = [trait('Palette', 'Ink'), trait('Hat', 'Fez')];
    await finish(collectionId, [[ink, hat], [ink, hat], [ink], [ink, hat]]);
    expect((await ranks(collectionId)).map(({ rank }) => rank)).toEqual([2, 2, 1, 2]);
  });

  it('says of each trait how many have it', async () => {
    const collectionId = await newCollection();
    await finish(collectionId, [
      [trait('Palette', 'Ink'), trait('Grain', 1)], [trait('Palette', 'Ink')], [trait('Palette', '1')],
    ]);
    expect((await ranks(collectionId)).map(({ traits, total }) => ({ traits, total }))).toEqual([
      { traits: [{ ...trait('Palette', 'Ink'), count: 2 }, { ...trait('Grain', 1), count: 1 }], total: 3 },
      { traits: [{ ...trait('Palette', 'Ink'), count: 2 }], total: 3 },
      { traits: [{ ...trait('Palette', '1'), count: 1 }], total: 3 },
    ]);
  });

  it('calls nothing rare where all are alike, or bare, or alone', async () => {
    for (const traits of [[[trait('a', 1)], [trait('a', 1)]], [[], []], [[trait('a', 1)]]]) {
      const collectionId = await newCollection();
      await finish(collectionId, traits);
      expect((await ranks(collectionId)).map(({ rank, score }) => [rank, score])).toEqual(traits.map(() => [1, 0]));
    }
    expect(await ranks(await newCollection())).toEqual([]);
  });

  it('counts a trait that an edition has twice once, with its last value', async () => {
    const collectionId = await newCollection();
    await finish(collectionId, [[trait('a', 1), trait('a', 2)], [trait('a', 2)]]);
    expect((await ranks(collectionId)).map(({ traits }) => traits)).toEqual([
      [{ ...trait('a', 2), count: 2 }], [{ ...trait('a', 2), count: 2 }],
    ]);
  });

  it('numbers by what was asked for first, and shows the newest of each hash', async () => {
    const collectionId = await newCollection();
    const [a, b, c] = [1, 2, 3].map((n) => `0x${String(n).repeat(64)}`) as [string, string, string];
    await finish(collectionId, [[trait('v', 'old')], [trait('v', 'b')]], [c, b]);
    const [, again] = await finish(collectionId, [[trait('v', 'a')], [trait('v', 'new')]], [a, c]);
    const ranked = await ranks(collectionId);
    expect(ranked.map(({ number, hash }) => [number, hash])).toEqual([[1, c], [2, b], [3, a]]);
    expect(ranked[0]).toMatchObject({ id: again, traits: [{ value: 'new', count: 1 }], total: 3 });
    expect(await editionIds(test.database, collectionId)).toEqual(ranked.map(({ id }) => id));
  });

  it('leaves out what is not completed', async () => {
    const collectionId = await newCollection();
    const [, failed] = await finish(collectionId, [[trait('a', 1)], [trait('a', 2)]]);
    await test.database.query(`update generation set status = 'failed' where id = $1`, [failed]);
    expect((await ranks(collectionId)).map(({ total, traits }) => [total, traits[0]!.count])).toEqual([[1, 1]]);
  });

  it('gives a window of 10,000 editions, ranked among all of them', async () => {
    const collectionId = await newCollection();
    const traits = Array.from({ length: 10_000 }, (_, i) =>
      [0, 1, 2, 3, 4, 5, 6, 7].map((t) => trait(`t${t}`, `v${(i * (t + 3)) % 97}`)),
    );
    await finish(collectionId, traits);
    const start = performance.now();
    const window = await ranks(collectionId, { after: '9980', limit: 5 });
    expect(performance.now() - start).toBeLessThan(8_000);
    expect(window.map(({ number, total }) => [number, total])).toEqual(
      [9_981, 9_982, 9_983, 9_984, 9_985].map((number) => [number, 10_000]),
    );
  });
});
