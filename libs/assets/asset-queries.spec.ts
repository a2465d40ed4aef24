import { randomUUID } from 'node:crypto';
import { createAsset, createCollection, type CollectionPlan } from '../../test/factories/asset.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { testKeys } from '../../test/factories/keys.js';
import { findAsset, findFileByKey, findOwnAssets, listAssets, maySeeOrigin } from './asset-queries.js';

describe('who sees which asset', () => {
  let test: TestDatabase;
  const userId = randomUUID();
  const owner = { userId, role: 'user' as const };
  const stranger = { userId: randomUUID(), role: 'user' as const };
  const admin = { userId: randomUUID(), role: 'admin' as const };

  beforeAll(async () => {
    test = await createTestDatabase();
  });
  afterAll(() => test.close());
  afterEach(() => test.database.query('truncate flat_file cascade'));

  const viewers = { owner, admin, stranger, nobody: undefined };
  const whoSees = async (id: string) => {
    const seen: string[] = [];
    for (const [name, viewer] of Object.entries(viewers)) {
      if (await findAsset(test.database, viewer, id, testKeys(test.database))) seen.push(name);
    }
    return seen;
  };
  const inCollection = async (plan: CollectionPlan) =>
    createAsset(test.database, { userId, collectionId: await createCollection(test.database, userId, plan) });

  it('an upload: its owner and admins', async () => {
    expect(await whoSees((await createAsset(test.database, { userId })).id)).toEqual(['owner', 'admin']);
  });

  it.each<[string, CollectionPlan, string[]]>([
    ['published', { status: 'published' }, ['owner', 'admin', 'stranger', 'nobody']],
    ['draft', { status: 'draft' }, ['owner', 'admin']],
    ['archived', { status: 'published', archived: true }, ['owner', 'admin']],
  ])('one of a collection that is %s', async (_state, plan, seen) => {
    expect(await whoSees((await inCollection(plan)).id)).toEqual(seen);
  });

  it('one that is not shown or deleted: nobody', async () => {
    const hidden = await createAsset(test.database, { userId, shown: false });
    const deleted = await createAsset(test.database, { userId });
    await test.database.query('update flat_file set deleted_at = now() where id = $1', [deleted.id]);
    for (const { id, storageKey } of [hidden, deleted]) {
      expect(await whoSees(id)).toEqual([]);
      expect(await findFileByKey(test.database, storageKey)).toBeNull();
      expect(await findOwnAssets(test.database, userId, [id])).toEqual([]);
    }
    expect(await listAssets(test.database, userId, { limit: 10, before: null })).toEqual([]);
  });

  it('shows how it was made to the owner, and to all where the collection may be remixed', async () => {
    const closed = await findAsset(test.database, owner, (await inCollection({})).id, testKeys(test.database));
    const open = await findAsset(test.database, owner, (await inCollection({ remixable: true })).id, testKeys(test.database));
    const told = (asset: typeof closed) =>
      Object.entries(viewers).filter(([, viewer]) => asset && maySeeOrigin(asset, viewer)).map(([name]) => name);
    expect(told(closed)).toEqual(['owner', 'admin']);
    expect(told(open)).toEqual(['owner', 'admin', 'stranger', 'nobody']);
  });

  it("lists one's own, newest first, page by page", async () => {
    const ids = [];
    for (let n = 0; n < 3; n++) ids.unshift((await createAsset(test.database, { userId })).id);
    await createAsset(test.database, { userId: stranger.userId });
    const page = async (before: string | null) =>
      (await listAssets(test.database, userId, { limit: 2, before })).map(({ id }) => id);
    expect(await page(null)).toEqual(ids.slice(0, 2));
    expect(await page(ids[1] as string)).toEqual(ids.slice(2));
    expect(await findOwnAssets(test.database, stranger.userId, ids)).toEqual([]);
  });
});
