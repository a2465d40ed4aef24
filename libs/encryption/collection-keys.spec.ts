import { randomUUID } from 'node:crypto';
import { createCollection, reserveCollection } from '#libs/collections/new-collection.js';
import type { Queryable } from '#libs/database/database.js';
import { buildCollection } from '../../test/factories/collection.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { CollectionKeys } from './collection-keys.js';
import { KeyUnavailable } from './key-management.js';
import { LocalKeyManagement } from './local.key-management.js';

const [OLD, NEW] = ['o'.repeat(32), 'n'.repeat(32)];

describe(CollectionKeys.name, () => {
  let test: TestDatabase;
  let queries: number;
  let counted: Queryable;
  const keysUnder = (...masterKeys: string[]) => new CollectionKeys(counted, new LocalKeyManagement(masterKeys));

  beforeAll(async () => {
    test = await createTestDatabase();
    counted = {
      query: (sql, parameters) => {
        queries += 1;
        return test.database.query(sql, parameters);
      },
    };
  });
  beforeEach(async () => {
    queries = 0;
    await test.database.query('delete from collection');
  });
  afterAll(() => test.close());

  const create = async (keys = keysUnder(OLD)) => {
    const userId = randomUUID();
    const { projectId } = await reserveCollection(test.database, { userId, projectId: null, steps: 0 });
    const id = randomUUID();
    const key = await keys.make(id, 'encryption_enabled');
    await createCollection(test.database, buildCollection(userId, { id, projectId, key }));
    return { id, sealed: key.seal.close('secret', 'place') };
  };

  it('knows a collection’s key after one query', async () => {
    const { id, sealed } = await create();
    const keys = keysUnder(OLD);
    const seals = await Promise.all([keys.of(id), keys.of(id)]);
    for (const seal of [...seals, await keys.of(id)]) expect(seal.open(sealed, 'place')).toBe('secret');
    expect(queries).toBe(1);
  });

  it('has none of a collection that is gone, not encrypted, or whose master key is not there', async () => {
    const { id } = await create();
    const plain = await createCollection(test.database, buildCollection(randomUUID(), {
      projectId: (await reserveCollection(test.database, { userId: randomUUID(), projectId: null, steps: 0 })).projectId,
    }));
    for (const asking of [
      keysUnder(OLD).of(randomUUID()), keysUnder(OLD).of(plain.id), keysUnder(NEW).of(id), new CollectionKeys(counted, null).of(id),
    ]) await expect(asking).rejects.toThrow(KeyUnavailable);
    expect(await keysUnder(OLD).of(id)).toBeDefined();
  });

  it('is had within a transaction without waiting for the lookup of another connection, which still ends', async () => {
    const { id, sealed } = await create();
    let goOn = () => {};
    const held = new Promise<void>((resolve) => (goOn = resolve));
    const busy: Queryable = { query: (...call) => held.then(() => counted.query(...call)) };
    const keys = new CollectionKeys(busy, new LocalKeyManagement([OLD]));
    const waiting = keys.of(id);
    expect((await keys.of(id, counted)).open(sealed, 'place')).toBe('secret');
    await keys.of(id, counted);
    expect(queries).toBe(1);
    goOn();
    expect((await waiting).open(sealed, 'place')).toBe('secret');
  });

  it('asks again after a failure', async () => {
    const { id } = await create();
    let isAway = true;
    const keys = new CollectionKeys(
      { query: (...call) => (isAway ? Promise.reject(new Error('away')) : test.database.query(...call)) },
      new LocalKeyManagement([OLD]),
    );
    await expect(keys.of(id)).rejects.toThrow('away');
    isAway = false;
    expect((await keys.of(id)).collectionId).toBe(id);
  });

  it('takes no key that was moved from another collection', async () => {
    const [one, other] = [await create(), await create()];
    await test.database.query(
      'update collection c set wrapped_key = o.wrapped_key from collection o where c.id = $1 and o.id = $2', [one.id, other.id],
    );
    await expect(keysUnder(OLD).of(one.id)).rejects.toThrow(KeyUnavailable);
  });

  it('refuses to make one where there is no master key, naming the field', async () => {
    await expect(new CollectionKeys(counted, null).make(randomUUID(), 'encryption_enabled')).rejects.toMatchObject({
      code: 'VALIDATION_ERROR', details: [{ field: 'encryption_enabled', message: expect.stringContaining('KEY_MANAGEMENT') }],
    });
  });

  it('wraps anew what lies under a former master key, which is not needed then', async () => {
    const made = [await create(), await create(), await create(keysUnder(NEW, OLD))];
    await expect(keysUnder(NEW).of(made[0]!.id)).rejects.toThrow(KeyUnavailable);
    expect(await keysUnder(NEW, OLD).rewrap()).toEqual({ renewed: 2, failed: [], last: expect.any(String) });
    expect(await keysUnder(NEW, OLD).rewrap()).toEqual({ renewed: 0, failed: [], last: null });
    for (const { id, sealed } of made) expect((await keysUnder(NEW).of(id)).open(sealed, 'place')).toBe('secret');
  });

  it('is the only way to write the row: a set that nobody sealed is refused', async () => {
    const { id } = await create();
    const write = (data: string) => test.database.query('update collection set data = $2 where id = $1', [id, data]);
    await expect(write('{"steps": []}')).rejects.toThrow('collection_encrypted');
    await expect(test.database.query('update collection set wrapped_key = null')).rejects.toThrow('collection_encrypted');
  });
});
