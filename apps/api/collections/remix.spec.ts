import { randomUUID } from 'node:crypto';
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

describe('a remix', () => {
  const remixable = (body: object = {}) => author.published({ remixable: true, ...body });
  const remix = (id: string, body: object = {}, headers = {}) =>
    owner.ask('POST', `/collections/${id}/remix`, body, headers);
  const filesOf = async (id: string, variables: object = {}) => {
    const { data } = await owner.ask('POST', `/collections/${id}/generations`, { variables });
    const [job] = await api.database.query<{ files?: string[] }>(
      `select options -> 'files' as files from job where id = $1`, [data.job_id]);
    return job?.files;
  };

  it('copies the set into a draft of one’s own, under new ids', async () => {
    const id = await remixable({ description: 'sand', price: 5, blockchain: 'BASE' });
    const { data: source } = await nobody.ask('GET', `/collections/${id}/public`);
    const { data: project } = await owner.ask('POST', '/projects', { name: 'Remixes' });
    const key = { 'idempotency-key': randomUUID() };
    const { status, data: copy } = await remix(id, { project_id: project.id }, key);
    expect({ status, copy }).toMatchObject({
      status: 201,
      copy: {
        title: 'Dunes', description: 'sand', status: 'draft', project_id: project.id, blockchain: 'BASE', price: null,
        remixable: false, data: { variables: { word: 'sand' }, steps: [{ fromId: source.data.steps[0]!.id }] },
      },
    });
    expect(copy.data.steps[0]!.id).not.toBe(source.data.steps[0]!.id);
    expect((await remix(id, { project_id: project.id }, key)).data.id).toBe(copy.id);
    expect(await owner.history(copy.id)).toMatchObject([{ action: 'created', data: { borrowed: { collection_id: id } } }]);
  });

  it('is not made of what another has not opened', async () => {
    const { id: unpublished } = await author.draft({ remixable: true });
    const archived = await remixable();
    await author.ask('POST', `/collections/${archived}/archive`);
    for (const id of [unpublished, archived, await author.published()]) {
      expect(await remix(id)).toMatchObject({ status: 404, code: 'COLLECTION_NOT_FOUND' });
    }
    expect(await remix((await owner.draft()).id)).toMatchObject({ status: 201 });
  });

  it('keeps form and price of a workflow that is open to the remixer, not those of another’s private one', async () => {
    for (const [visibility, price] of [['public', 3], ['private', 0]] as const) {
      const { id: workflow_id } = await createWorkflow(api.database, author.userId, { data: PIPELINE, visibility });
      const order = { title: 'Dunes', workflow_id };
      const { collection_id: id } = await author.dataOf('POST', '/api/collections/generate', order);
      await api.database.query(`update collection set status = 'published', remixable = true where id = $1`, [id]);
      const { data: copy } = await remix(id);
      const { data: receipt } = await owner.ask('POST', `/collections/${copy.id}/generations`, {});
      expect({ visibility, price: receipt.cost_breakdown.total_credits }).toEqual({ visibility, price });
    }
  });

  it('does not run steps that only their author may use', async () => {
    const data = { workflow: { 1: { class_type: 'SaveImage', inputs: {} } } };
    const graph = { type: 'comfy_workflow', visibility: 'private', data } as const;
    const { name } = await createWorkflow(api.database, author.userId, graph);
    const id = await remixable({ data: { steps: [{ id: 'a', nodeName: name, nodePayload: {} }] } });
    expect(await remix(id)).toMatchObject({ status: 400, details: [{ field: 'id' }] });
  });

  it('lets another’s set name no file of the remixer’s, also after an edit: only they do themselves', async () => {
    const mine = (await createAsset(api.database, { userId: owner.userId })).id;
    const theirs = await createAsset(api.database, { userId: author.userId });
    const open = (await createAsset(api.database, { userId: author.userId, collectionId: await remixable() })).id;
    const words = { bait: mine, secret: `/files/${theirs.storageKey}`, open, word: 'sand' };
    const { data: copy } = await remix(await remixable({ data: { ...SET, variables: words } }));
    expect(await filesOf(copy.id)).toEqual([open]);
    expect(await filesOf(copy.id, { word: mine })).toEqual([open, mine]);
    const chosen = (await createAsset(api.database, { userId: owner.userId })).id;
    const variables = { ...words, word: chosen };
    await owner.ask('PUT', `/projects/${copy.project_id}/collections/${copy.id}`, { data: { ...copy.data, variables } });
    expect((await filesOf(copy.id))?.sort()).toEqual([chosen, open].sort());
    const { data: again } = await remix(copy.id);
    expect((await filesOf(again.id))?.sort()).toEqual([chosen, open].sort());
  });

  it('is the same for a draft of one’s own file that another’s set has made', async () => {
    const open = (await createAsset(api.database, { userId: author.userId, collectionId: await remixable() })).id;
    const mine = (await createAsset(api.database, { userId: owner.userId })).id;
    const { data: copy } = await remix(await remixable({ data: { ...SET, variables: { word: mine, open } } }));
    const jobId = await owner.make(copy.id);
    const asset = await createAsset(api.database, { userId: owner.userId, collectionId: copy.id });
    await api.database.query(
      `update flat_file set job_id = $2, gen_in_data = j.instruction_set from job j where j.id = $2 and flat_file.id = $1`,
      [asset.id, jobId],
    );
    const { data: again } = await owner.ask('POST', `/projects/collections?asset_id=${asset.id}`, {});
    expect(await filesOf(again.id)).toEqual([open]);
  });

  it('keeps the links of its steps’ files, as every set under new ids does', async () => {
    const id = await remixable();
    const { data } = await author.dataOf('GET', `/collections/${id}`);
    const [component] = data.steps.map((step) => String(step.id));
    const asset = await createAsset(api.database, { userId: author.userId, collectionId: id });
    await api.database.query('insert into component_flat_file (component_id, flat_file_id) values ($1, $2)', [component, asset.id]);
    const linked = async (collectionId: string, asker: CollectionCalls) => {
      const { data: set } = await asker.dataOf('GET', `/collections/${collectionId}`);
      return api.database.query('select flat_file_id as id from component_flat_file where component_id = $1', [set.steps[0]!.id]);
    };
    const { data: copy } = await remix(id);
    expect(await linked(copy.id, owner)).toEqual([{ id: asset.id }]);
    await owner.ask('PUT', `/projects/${copy.project_id}/collections/${copy.id}`, { data: copy.data });
    expect(await linked(copy.id, owner)).toEqual([{ id: asset.id }]);
  });

  it('is the same for a draft of another’s asset', async () => {
    const mine = (await createAsset(api.database, { userId: owner.userId })).id;
    const asset = await createAsset(api.database, { userId: author.userId, collectionId: await remixable() });
    const generations = { hashes: [], generations: 1, use_custom_hashes: false };
    const made = { version: 'v2', ...SET, variables: { word: mine }, generations };
    await api.database.query('update flat_file set gen_in_data = $2 where id = $1', [asset.id, JSON.stringify(made)]);
    const { data: copy } = await owner.ask('POST', `/projects/collections?asset_id=${asset.id}`, {});
    expect(await filesOf(copy.id)).toEqual([]);
  });
});
