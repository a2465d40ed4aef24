import { randomUUID } from 'node:crypto';
import type { Step } from '#libs/instruction-set/instruction-set.js';
import { createAsset } from '../../../test/factories/asset.js';
import { CollectionCalls, PIPELINE, SET } from '../../../test/factories/collection-calls.js';
import { createUser } from '../../../test/factories/job-submission.js';
import { createWorkflow } from '../../../test/factories/workflow.js';
import { startTestApi, type TestApi } from '../../../test/setup/api.js';

let api: TestApi;
let owner: CollectionCalls;
let author: CollectionCalls;
let nobody: CollectionCalls;

beforeAll(async () => {
  api = await startTestApi();
  nobody = new CollectionCalls(api);
});
afterAll(() => api.close());
beforeEach(async () => {
  owner = new CollectionCalls(api, await createUser(api.database, 100));
  author = new CollectionCalls(api, await createUser(api.database, 100));
});

describe('an update', () => {
  it('changes what it names, takes back what is null, and keeps what was before', async () => {
    const { id, path } = await owner.draft({ description: 'sand', price: 0.1, blockchain: 'TEZOS', remixable: true });
    const changes = { title: 'Seas', price: null, remixable: null, publish_date: '2027-01-31' };
    const answer = await owner.ask('PUT', path, changes);
    expect(answer).toMatchObject({
      status: 200,
      data: {
        id, title: 'Seas', description: 'sand', price: null, blockchain: 'TEZOS', remixable: false,
        publish_date: '2027-01-31T00:00:00.000Z', data: { variables: { word: 'sand' } }, is_current: true,
      },
    });
    const [updated] = await owner.history(id);
    expect(updated).toMatchObject({
      action: 'updated', data: { before: { id, title: 'Dunes', price: 0.1, remixable: true, is_current: false } },
    });
    expect(updated!.data.before).not.toHaveProperty('data');
  });

  it('writes no history of what changes nothing', async () => {
    const said = { title: 'Dunes', price: 0.1, publish_date: '2027-01-31', remixable: true, archived: null };
    const { id, path } = await owner.draft(said);
    const before = await owner.dataOf('GET', `/collections/${id}`);
    for (const body of [{}, said, { price: 0.10, batch_mint_enabled: null }]) {
      expect(await owner.ask('PUT', path, body)).toMatchObject({ status: 200, data: before });
    }
    expect(await owner.history(id)).toMatchObject([{ action: 'created' }]);
    await owner.ask('PUT', path, { price: 0.2 });
    expect(await owner.history(id)).toMatchObject([{ action: 'updated' }, { action: 'created' }]);
  });

  it('puts a new set under new ids, and the old one into the history', async () => {
    const { id, path } = await owner.draft();
    const { data: set } = (await owner.dataOf('GET', `/collections/${id}`));
    const first = set.steps[0]!.id;
    const nodePayload = { code: 'return 2', inputs: { y: { $ref: first } } };
    const second = { id: 'b', nodeName: 'javascript', nodePayload };
    const { data } = await owner.ask('PUT', path, { data: { ...set, steps: [...set.steps, second] } });
    const [a, b] = data.data.steps as [Step, Step];
    expect(a).toMatchObject({ fromId: first, nodeName: 'javascript' });
    expect(a.id).not.toBe(first);
    expect(b).toMatchObject({ fromId: 'b', nodePayload: { inputs: { y: { $ref: a.id } } } });
    const [entry] = await owner.history(id);
    expect(entry!.data).toMatchObject({ origin: null, before: { data: set, is_current: false } });
    await owner.make(id);
    const faulty = { data: { ...SET, steps: [{ ...SET.steps[0], nodeName: 'none' }] }, editions: 0 };
    expect(await owner.ask('PUT', path, faulty)).toMatchObject({
      status: 400, details: [{ field: 'editions' }, { field: 'data.steps[0].nodeName' }],
    });
  });

  it('makes the set of a workflow one of its own steps: the price of the workflow does not stay with it', async () => {
    const { id: workflow_id } = await createWorkflow(api.database, author.userId, { data: PIPELINE });
    const order = { title: 'Dunes', workflow_id };
    const { collection_id: id, project_id } = await owner.dataOf('POST', '/api/collections/generate', order);
    const price = async () =>
      (await owner.dataOf('POST', `/collections/${id}/generations`, {})).cost_breakdown.total_credits;
    expect(await price()).toBe(3);
    await owner.ask('PUT', `/projects/${project_id}/collections/${id}`, { title: 'Seas' });
    expect(await price()).toBe(3);
    await owner.ask('PUT', `/projects/${project_id}/collections/${id}`, { data: SET });
    expect(await price()).toBe(0);
  });

  it('leaves no fewer editions than are finished or under way', async () => {
    const { id, path } = await owner.draft({ data: { ...SET, generations: { hashes: [], generations: 3 } } });
    await owner.make(id);
    expect(await owner.ask('PUT', path, { editions: 2, title: 'Seas' })).toMatchObject({
      status: 409, code: 'EDITIONS_EXHAUSTED',
    });
    expect(await owner.dataOf('GET', `/collections/${id}`)).toMatchObject({ title: 'Dunes', editions: null });
    expect(await owner.ask('PUT', path, { editions: 3 })).toMatchObject({ status: 200, data: { editions: 3 } });
  });

  it('does not take the title of what is published, and finds a collection in its own project only', async () => {
    const id = await owner.published();
    const { data: { project_id } } = await owner.ask('GET', `/collections/${id}`);
    const { data: other } = await owner.ask('POST', '/projects', { name: 'Other' });
    expect(await owner.ask('PUT', `/projects/${project_id}/collections/${id}`, { title: null })).toMatchObject({
      status: 400, details: [{ field: 'title' }],
    });
    expect(await owner.ask('PUT', `/projects/${other.id}/collections/${id}`, {})).toMatchObject({
      status: 404, code: 'COLLECTION_NOT_FOUND',
    });
  });
});

describe('the list of one’s own', () => {
  it('shows drafts and archived ones, too, by project, state and name, in pages, and nobody else’s', async () => {
    const mark = randomUUID();
    const draft = await owner.draft({ title: `Dunes ${mark}` });
    const published = await owner.published({ title: `Seas ${mark}` });
    const archived = await owner.published({ title: `Old ${mark}` });
    await owner.ask('POST', `/collections/${archived}/archive`);
    const list = (query: string) => owner.dataOf('GET', `/projects/collections?${query}`);
    const ids = async (query: string) => (await list(query)).items.map(({ id }: { id: string }) => id);
    expect(await ids(`q=${mark}`)).toEqual([archived, published, draft.id]);
    expect(await ids(`q=DUNES ${mark}`)).toEqual([draft.id]);
    expect(await ids(`q=${mark}&status=draft`)).toEqual([draft.id]);
    const { project_id: project } = await owner.dataOf('GET', `/collections/${draft.id}`);
    expect(await ids(`q=${mark}&project_id=${project}`)).toContain(draft.id);
    expect(await ids(`q=${mark}&project_id=${randomUUID()}`)).toEqual([]);
    const first = await list(`q=${mark}&limit=1`);
    expect(first.items).toMatchObject([{ id: archived, archived: true, status: 'published' }]);
    expect(first.items[0]).not.toHaveProperty('data');
    expect(await ids(`q=${mark}&limit=2&cursor=${first.next_cursor}`)).toEqual([published, draft.id]);
    expect((await author.dataOf('GET', '/projects/collections')).items.map(({ id }: { id: string }) => id)).not.toContain(draft.id);
  });
});

describe('the public list', () => {
  it('shows what is published and not archived, by name and chain, in pages, to everyone', async () => {
    const mark = randomUUID();
    const [dunes, seas, hidden] = [
      await owner.published({ title: `Dunes ${mark}`, blockchain: 'TEZOS' }),
      await owner.published({ title: 'Seas', description: `100% ${mark.toUpperCase()}` }),
      await owner.published({ title: mark }),
    ];
    await owner.draft({ title: mark });
    await owner.ask('POST', `/collections/${hidden}/archive`);
    for (let n = 0; n < 5; n += 1) await createAsset(api.database, { userId: owner.userId, collectionId: dunes });
    const list = async (query: string) => nobody.dataOf('GET', `/collections?${query}`);
    const ids = async (query: string) => (await list(query)).items.map(({ id }: { id: string }) => id);
    expect(await ids(`q=${mark}`)).toEqual([seas, dunes]);
    expect(await ids(`q=${mark}&blockchain=TEZOS`)).toEqual([dunes]);
    expect(await ids(`q=${encodeURIComponent(`100% ${mark}`)}`)).toEqual([seas]);
    expect(await ids(`q=${encodeURIComponent(`%${mark}`)}`)).toEqual([]);
    const short = await owner.published({ title: `Zx ${mark}` });
    for (const q of ['zX', 'z']) expect(await ids(`q=${q}`)).toEqual([short]);
    expect(await ids('q=x%20')).toEqual([]);
    await owner.ask('POST', `/collections/${short}/archive`);
    const first = await list(`q=${mark}&limit=1`);
    expect(first.items).toMatchObject([{ id: seas, status: 'published', images: [] }]);
    expect(first.items[0]).not.toHaveProperty('data');
    const second = await list(`q=${mark}&limit=1&cursor=${first.next_cursor}`);
    expect(second).toMatchObject({ items: [{ id: dunes }], next_cursor: null });
    expect(second.items[0]!.images).toHaveLength(4);
  });
});
