import type { Queryable } from '#libs/database/database.js';
import { CountedEditions } from './counted-editions.js';

describe(CountedEditions, () => {
  let version: string;
  let counts: number;
  const db = { query: async () => [{ version }] } as unknown as Queryable;
  const count = async () => ++counts;

  beforeEach(() => {
    [version, counts] = ['1:1', 0];
  });

  it('counts once for all who ask, and again when an edition more is finished', async () => {
    const counted = new CountedEditions<number>(10);
    expect(await Promise.all([1, 2, 3].map(() => counted.of(db, 'a', count)))).toEqual([1, 1, 1]);
    expect(await counted.of(db, 'b', count)).toBe(2);
    version = '1:2';
    expect(await counted.of(db, 'a', count)).toBe(3);
    expect(await counted.of(db, 'a', count)).toBe(3);
  });

  it('keeps no failure, and of so many collections only', async () => {
    const counted = new CountedEditions<number>(1);
    await expect(counted.of(db, 'a', async () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(await counted.of(db, 'a', count)).toBe(1);
    await counted.of(db, 'b', count);
    expect(await counted.of(db, 'a', count)).toBe(3);
  });
});
