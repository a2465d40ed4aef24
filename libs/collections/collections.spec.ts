import { randomUUID } from 'node:crypto';
import { FileUrls } from '#libs/assets/file-urls.js';
import { EMPTY_INSTRUCTION_SET } from '#libs/instruction-set/instruction-set.js';
import type { Trait } from '#libs/nodes/node.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { createAsset } from '../../test/factories/asset.js';
import { buildCollection } from '../../test/factories/collection.js';
import { submitJob } from '../../test/factories/job.js';
import { createUser } from '../../test/factories/job-submission.js';
import { testKeys } from '../../test/factories/keys.js';
import { publishDueCollections } from './auto-publish.js';
import { Collections } from './collections.js';
import { reserveEditions } from './editions.js';
import { CollectionLists } from './collection-lists.js';
import { createCollection, reserveCollection, type NewCollection } from './new-collection.js';

let db: TestDatabase;
let userId: string;
let collections: Collections;

beforeAll(async () => {
  db = await createTestDatabase();
  collections = new Collections(db.database, new FileUrls({ masterKey: 'x'.repeat(32) }), testKeys(db.database));
});
afterAll(() => db.close());
beforeEach(async () => {
  userId = await createUser(db.database);
});

async function create(differs: Partial<NewCollection> = {}): Promise<string> {
  const reserved = await reserveCollection(db.database, { userId, projectId: null, steps: 0 });
  return (await createCollection(db.database, buildCollection(userId, { ...reserved, ...differs }))).id;
}

/** A job of the collection whose generations have the given states, hashes and traits. */
async function addJob(
  collectionId: string,
  generations: Array<{ status?: string; hash?: string; traits?: Trait[] }>,
  options: Record<string, unknown> = {},
): Promise<string> {
  const job = await submitJob(db.database, { steps: [], userId, generations: generations.length, options });
  await db.database.query('update job set collection_id = $2 where id = $1', [job.jobId, collectionId]);
  for (const [index, { status = 'completed', hash = randomUUID(), traits = [] }] of generations.entries()) {
    await db.database.query(
      'update generation set status = $2, hash = $3, traits = $4, completed_at = clock_timestamp() where id = $1',
      [job.generationIds[index], status, hash, JSON.stringify(traits)],
    );
  }
  return job.jobId;
}

const set = (id: string, column: string, value: unknown) =>
  db.database.query(`update collection set ${column} = $2 where id = $1`, [id, value]);

describe('Collections', () => {
  it('shows the owner every column by its name', async () => {
    const id = await create({
      metadata: { title: 'Dunes', price: 0.1, blockchain: 'TEZOS', publish_date: '2027-01-31' },
    });
    const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(await collections.find(userId, id)).toEqual({
      id, title: 'Dunes', description: null, status: 'draft', project_id: expect.any(String),
      data: EMPTY_INSTRUCTION_SET,
      images: [], preview_images: [], cover_image_url: null, editions: null, price: 0.1, currency: 'XTZ', blockchain: 'TEZOS',
      publish_date: '2027-01-31T00:00:00.000Z', archived: false, batch_mint_enabled: false, batch_max_tokens: null,
      encryption_enabled: false, is_current: true, remixable: false, created_at: instant, updated_at: instant,
      urls: { collection_url: `/collections/${id}/public` },
    });
  });

  it('hides a draft from everyone else', async () => {
    const id = await create();
    const stranger = await createUser(db.database);
    await expect(collections.find(stranger, id)).rejects.toMatchObject({ code: 'COLLECTION_NOT_FOUND', status: 404 });
    for (const viewer of [stranger, undefined]) {
      await expect(collections.findPublic(viewer, id)).rejects.toMatchObject({ code: 'COLLECTION_NOT_FOUND' });
    }
    expect(await collections.findPublic(userId, id)).toMatchObject({ id, status: 'draft' });
  });

  it('shows a published collection to everyone until it is archived, its set only when remixable', async () => {
    const id = await create();
    await set(id, 'status', 'published');
    expect(await collections.findPublic(undefined, id)).not.toHaveProperty('data');
    await set(id, 'remixable', true);
    expect(await collections.findPublic(undefined, id)).toMatchObject({ data: { version: 'v2' } });
    await set(id, 'archived', true);
    await expect(collections.findPublic(undefined, id)).rejects.toMatchObject({ code: 'COLLECTION_NOT_FOUND' });
    expect(await collections.findPublic(userId, id)).toMatchObject({ archived: true });
  });

  it('shows assets only once they are paid, and counts editions and traits by their newest generation', async () => {
    const id = await create();
    const palette = (value: number): Trait[] => [{ trait_type: 'Palette', value }];
    await addJob(id, [
      { hash: 'a', traits: palette(1) },
      { hash: 'b', traits: palette(2) },
      { status: 'failed', hash: 'c', traits: palette(9) },
    ]);
    await addJob(id, [{ hash: 'a', traits: palette(2) }]);
    await db.database.query(
      `insert into flat_file (user_id, collection_id, name, storage_key, url, mime_type, size, sha256, shown)
       select $1, $2, name, name, '/files/' || name, 'image/png', 1, 's', name <> 'hidden.png'
         from unnest(array['old.png', 'hidden.png', 'new.png']) as name`,
      [userId, id],
    );
    const view = await collections.findPublic(userId, id);
    expect(view.assets.map(({ name }) => name)).toEqual(['new.png', 'old.png']);
    expect(view.images).toEqual(view.assets.map(({ url }) => url));
    expect(view.generations).toBe(2);
    expect(view.traits).toEqual([{ trait_type: 'Palette', value: 2, count: 2 }]);
  });
});

describe('the files of a collection', () => {
  it('are those of the newest completed generation of each hash, and those of none', async () => {
    const [id, other] = [await create(), await create()];
    await set(id, 'status', 'published');
    const first = await addJob(id, ['a', 'b', 'c', 'd'].map((hash) => ({ hash })));
    const again = await addJob(id, [{ hash: 'b' }, { hash: 'c', status: 'failed' }]);
    const elsewhere = await addJob(other, [{ hash: 'd' }]);
    for (const [collectionId, jobId] of [[id, first], [id, again], [other, elsewhere]]) {
      await db.database.query(
        `insert into flat_file (user_id, collection_id, job_id, generation_id, step_id, index, name, storage_key, url,
                                mime_type, size, sha256, shown)
         select $1, $2, job_id, id, 1, 0, hash || index, id::text, '/files/' || id, 'image/png', 1, 's', status = 'completed'
           from generation where job_id = $3 order by index`,
        [userId, collectionId, jobId],
      );
    }
    await createAsset(db.database, { userId, collectionId: id, name: 'uploaded' });
    const shown = ['uploaded', 'b0', 'd3', 'c2', 'a0'];
    const view = await collections.findPublic(undefined, id);
    expect(view.assets.map(({ name }) => name)).toEqual(shown);
    expect(view.images).toEqual(view.assets.map(({ url }) => url));
    expect(view.generations).toBe(4);
    expect((await collections.find(userId, id)).images).toHaveLength(5);
    const list = new CollectionLists(db.database, new FileUrls({ masterKey: 'x'.repeat(32) }));
    const rows = await list.published({}, { limit: 100, after: null });
    const [listed] = await list.present(rows.filter((row) => row.id === id));
    expect(listed?.images).toEqual(view.images.slice(0, 4));
  });
});

describe('reserveEditions', () => {
  const reserve = (id: string, hashes: string[]) =>
    db.database.transaction((tx) => reserveEditions(tx, { id, userId }, hashes));

  it('counts each hash once, finished or under way, and not what came to nothing', async () => {
    const id = await create({ metadata: { editions: 3 } });
    await addJob(id, [{ hash: 'a' }, { hash: 'a' }, { status: 'waiting', hash: 'b' }, { status: 'failed', hash: 'c' }]);
    await expect(reserve(id, ['d'])).resolves.toBeUndefined();
    await expect(reserve(id, ['a', 'b', 'd'])).resolves.toBeUndefined();
    await expect(reserve(id, ['d', 'e', 'a'])).rejects.toMatchObject({
      code: 'EDITIONS_EXHAUSTED', status: 409,
      message: 'The collection has 3 editions, 2 of them exist or are under way: 2 more do not fit',
    });
    await set(id, 'editions', 1);
    await expect(reserve(id, [])).rejects.toMatchObject({
      code: 'EDITIONS_EXHAUSTED',
      message: '2 editions of the collection exist or are under way: they do not fit into 1',
    });
  });

  it("has no limit where none is set, and knows no one else's collection", async () => {
    const id = await create();
    await expect(reserve(id, Array.from({ length: 1_000 }, () => randomUUID()))).resolves.toBeUndefined();
    const stranger = await createUser(db.database);
    await expect(
      db.database.transaction((tx) => reserveEditions(tx, { id, userId: stranger }, [])),
    ).rejects.toMatchObject({ code: 'COLLECTION_NOT_FOUND' });
  });
});

describe('publishDueCollections', () => {
  const wishing = (differs: Partial<NewCollection> = {}) =>
    create({ autoPublish: true, metadata: { title: 'Dunes' }, ...differs });
  const finish = (jobId: string, status: string) =>
    db.database.query('update job set status = $2 where id = $1', [jobId, status]);
  const statusOf = async (id: string) => (await collections.find(userId, id)).status;

  it('publishes once every generation of the job has succeeded, and only once', async () => {
    const id = await wishing();
    const jobId = await addJob(id, [{}], { auto_publish: true });
    for (const status of ['processing', 'failed', 'cancelled']) {
      await finish(jobId, status);
      expect(await publishDueCollections(db.database)).toEqual([]);
    }
    await finish(jobId, 'completed');
    const published = await Promise.all(Array.from({ length: 5 }, () => publishDueCollections(db.database)));
    expect(published.flat()).toEqual([id]);
    expect(await statusOf(id)).toBe('published');
    const history = await db.database.query(
      'select action from collection_history where collection_id = $1 order by id',
      [id],
    );
    expect(history).toEqual([{ action: 'created' }, { action: 'published' }]);
  });

  it('waits for the publish date', async () => {
    const id = await wishing({ metadata: { title: 'Dunes', publish_date: '2999-01-01' } });
    await finish(await addJob(id, [{}], { auto_publish: true }), 'completed');
    expect(await publishDueCollections(db.database)).toEqual([]);
    await set(id, 'publish_date', '2020-01-01');
    expect(await publishDueCollections(db.database)).toEqual([id]);
  });

  it('leaves alone what did not ask for it or has no title', async () => {
    const quiet = await create({ metadata: { title: 'Dunes' } });
    const untitled = await wishing({ metadata: {} });
    const otherJob = await wishing();
    await finish(await addJob(quiet, [{}]), 'completed');
    await finish(await addJob(untitled, [{}], { auto_publish: true }), 'completed');
    await finish(await addJob(otherJob, [{}]), 'completed');
    expect(await publishDueCollections(db.database)).toEqual([]);
  });
});
