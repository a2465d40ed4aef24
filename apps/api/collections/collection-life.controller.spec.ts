import { publishDueCollections } from '#libs/collections/auto-publish.js';
import { createAsset } from '../../../test/factories/asset.js';
import { CollectionCalls } from '../../../test/factories/collection-calls.js';
import { createUser } from '../../../test/factories/job-submission.js';
import { startTestApi, type TestApi } from '../../../test/setup/api.js';

let api: TestApi;
let owner: CollectionCalls;
let nobody: CollectionCalls;

beforeAll(async () => {
  api = await startTestApi();
  nobody = new CollectionCalls(api);
});
afterAll(() => api.close());
beforeEach(async () => {
  owner = new CollectionCalls(api, await createUser(api.database, 100));
});

describe('publishing', () => {
  it('takes a title and a finished generation', async () => {
    const { id, path } = await owner.draft({ title: null });
    const publish = () => owner.ask('POST', `/collections/${id}/publish`);
    const refused = { status: 409, code: 'COLLECTION_NOT_PUBLISHABLE' };
    expect(await publish()).toMatchObject({ ...refused, error: 'The collection has no title' });
    await owner.ask('PUT', path, { title: 'Dunes' });
    await owner.ask('POST', `/collections/${id}/generations`, {});
    expect(await publish()).toMatchObject({ ...refused, error: 'No generation of the collection has finished' });
    await owner.make(id);
    expect(await publish()).toMatchObject({ status: 200, data: { id, status: 'published' } });
    expect(await nobody.ask('GET', `/collections/${id}/public`)).toMatchObject({ status: 200 });
  });

  it('waits for the publish date, which may still be moved', async () => {
    const { id, path } = await owner.draft({ publish_date: '2999-01-01' });
    await owner.make(id);
    const publish = () => owner.ask('POST', `/collections/${id}/publish`);
    for (let i = 0; i < 2; i++) expect(await publish()).toMatchObject({ status: 200, data: { id, status: 'draft' } });
    expect(await publishDueCollections(api.database)).toEqual([]);
    expect(await nobody.ask('GET', `/collections/${id}/public`)).toMatchObject({ status: 404 });
    await owner.ask('PUT', path, { publish_date: '2020-01-01' });
    const swept = await Promise.all([1, 2, 3].map(() => publishDueCollections(api.database)));
    expect(swept.flat()).toEqual([id]);
    expect(await nobody.ask('GET', `/collections/${id}/public`)).toMatchObject({ status: 200 });
    expect(await owner.actions(id)).toEqual(['published', 'updated', 'scheduled', 'created']);
  });

  it('is done once, however often it is asked for', async () => {
    const { id } = await owner.draft();
    await owner.make(id);
    const publish = () => owner.ask('POST', `/collections/${id}/publish`);
    const answers = await Promise.all(Array.from({ length: 5 }, publish));
    expect(new Set(answers.map(({ data }) => JSON.stringify(data))).size).toBe(1);
    expect(await owner.actions(id)).toEqual(['published', 'created']);
  });
});

describe('archiving', () => {
  it('hides a published collection, and shows it again', async () => {
    const id = await owner.published();
    const seen = async () => (await nobody.ask('GET', `/collections/${id}/public`)).status;
    const archive = (body?: object) => owner.ask('POST', `/collections/${id}/archive`, body);
    expect(await archive()).toMatchObject({ status: 200, data: { archived: true } });
    expect(await seen()).toBe(404);
    await archive({});
    expect(await archive({ archived: false })).toMatchObject({ data: { archived: false } });
    expect(await seen()).toBe(200);
    expect(await owner.actions(id)).toEqual(['restored', 'archived', 'published', 'created']);
  });
});

describe('removal', () => {
  it('takes collection and files, and leaves its jobs as a record', async () => {
    const id = await owner.published();
    const jobId = await owner.make(id);
    const asset = await createAsset(api.database, { userId: owner.userId, collectionId: id });
    expect(await owner.ask('DELETE', `/collections/${id}`)).toMatchObject({ status: 200, data: null });
    for (const path of [`/collections/${id}`, `/collections/${id}/public`, `/assets/${asset.id}`]) {
      expect(await owner.ask('GET', path)).toMatchObject({ status: 404 });
    }
    expect(await owner.ask('GET', `/jobs/${jobId}`)).toMatchObject({
      status: 200, data: { collection_id: null, status: 'completed' },
    });
    const [file] = await api.database.query(
      'select deleted_at <= now() as due from flat_file where id = $1', [asset.id]);
    expect(file).toEqual({ due: true });
    expect(await owner.ask('DELETE', `/collections/${id}`)).toMatchObject({ status: 404 });
  });

  it('waits until its jobs have ended, and none comes after it', async () => {
    const { id } = await owner.draft();
    const { data: { job_id } } = await owner.ask('POST', `/collections/${id}/generations`, {});
    expect(await owner.ask('DELETE', `/collections/${id}`)).toMatchObject({ status: 409, code: 'INVALID_JOB_STATUS' });
    await owner.ask('POST', `/jobs/${job_id}/cancel`);
    const [removed, submitted] = await Promise.all([
      owner.ask('DELETE', `/collections/${id}`), owner.ask('POST', `/collections/${id}/generations`, {}),
    ]);
    expect([[200, 404], [409, 201]]).toContainEqual([removed.status, submitted.status]);
  });
});

describe('the history', () => {
  it('comes in pages, which end early where entries are large', async () => {
    const { id } = await owner.draft();
    await api.database.query(
      `insert into collection_history (collection_id, user_id, action, data)
       select $1, $2, 'updated', jsonb_build_object('before', repeat('x', 900000)) from generate_series(1, 6)`,
      [id, owner.userId],
    );
    const page = async (query: string) => (await owner.dataOf('GET', `/collections/${id}/history?${query}`));
    expect((await page('limit=2')).items).toHaveLength(2);
    const seen: string[] = [];
    for (let cursor = ''; ; ) {
      const { items, next_cursor } = await page(`limit=100${cursor}`);
      expect(items.length).toBeLessThan(7);
      seen.push(...items.map((entry: { id: string }) => entry.id));
      if (next_cursor === null) break;
      cursor = `&cursor=${next_cursor}`;
    }
    expect(seen).toHaveLength(7);
    expect(seen.map(Number)).toEqual(seen.map(Number).sort((a, b) => b - a));
  });
});
