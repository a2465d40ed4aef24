import { randomUUID } from 'node:crypto';
import type { Step } from '#libs/instruction-set/instruction-set.js';
import { createAsset } from '../../../test/factories/asset.js';
import { createUser } from '../../../test/factories/job-submission.js';
import { createWorkflow } from '../../../test/factories/workflow.js';
import { startTestApi, type TestApi } from '../../../test/setup/api.js';

interface Answered {
  status: number;
  code?: string;
  error: string | null;
  details?: Array<{ field: string }>;
  // The shapes of these routes differ; what is read of them is held against expectations.
  data: any;
}

const SCRIPT: Step = { id: 'a', nodeName: 'javascript', nodePayload: { code: 'return 1', inputs: { x: '{{word}}' } } };
const SET = { steps: [SCRIPT], variables: { word: 'sand' } };

let api: TestApi;
let userId: string;
let stranger: string;

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());
beforeEach(async () => {
  [userId, stranger] = [await createUser(api.database, 100), await createUser(api.database, 100)];
});

async function ask(method: string, path: string, body?: unknown, user: string | null = userId, headers = {}): Promise<Answered> {
  const response = await fetch(`${api.url}${path}`, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...(user && api.as(user)), ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return { ...((await response.json()) as Answered), status: response.status };
}

async function draft(body: object = {}, user = userId): Promise<{ id: string; path: string }> {
  const { data } = await ask('POST', '/projects/collections', { title: 'Dunes', data: SET, ...body }, user);
  return { id: data.id, path: `/projects/${data.project_id}/collections/${data.id}` };
}

/** Submits editions, and ends their job as if they had been made. */
async function make(id: string, user = userId): Promise<string> {
  const { data } = await ask('POST', `/collections/${id}/generations`, {}, user);
  await api.database.query(
    `with ended as (update generation set status = 'completed', completed_at = now() where job_id = $1)
     update job set status = 'completed', completed = generations where id = $1`,
    [data.job_id],
  );
  return data.job_id;
}

async function published(body: object = {}, user = userId): Promise<string> {
  const { id } = await draft(body, user);
  await make(id, user);
  expect(await ask('POST', `/collections/${id}/publish`, undefined, user)).toMatchObject({ status: 200 });
  return id;
}

const historyOf = async (id: string) => (await ask('GET', `/collections/${id}/history`)).data.items;
const actionsOf = async (id: string) => (await historyOf(id)).map(({ action }: { action: string }) => action);

describe('publishing', () => {
  it('takes a title, a finished generation, and a publish date that has come', async () => {
    const { id, path } = await draft({ title: null, publish_date: '2999-01-01' });
    const publish = () => ask('POST', `/collections/${id}/publish`);
    const refused = { status: 409, code: 'COLLECTION_NOT_PUBLISHABLE' };
    expect(await publish()).toMatchObject({ ...refused, error: 'The collection has no title' });
    await ask('PUT', path, { title: 'Dunes' });
    await ask('POST', `/collections/${id}/generations`, {});
    expect(await publish()).toMatchObject({ ...refused, error: 'No generation of the collection has finished' });
    await make(id);
    expect(await publish()).toMatchObject({ ...refused, error: 'The publish date of the collection has not come' });
    await ask('PUT', path, { publish_date: null });
    expect(await publish()).toMatchObject({ status: 200, data: { id, status: 'published' } });
    expect(await ask('GET', `/collections/${id}/public`, undefined, null)).toMatchObject({ status: 200 });
  });

  it('is done once, however often it is asked for', async () => {
    const { id } = await draft();
    await make(id);
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask('POST', `/collections/${id}/publish`)));
    expect(new Set(answers.map(({ data }) => JSON.stringify(data))).size).toBe(1);
    expect(await actionsOf(id)).toEqual(['published', 'created']);
  });
});

describe('archiving', () => {
  it('hides a published collection, and shows it again', async () => {
    const id = await published();
    const seen = async () => (await ask('GET', `/collections/${id}/public`, undefined, null)).status;
    expect(await ask('POST', `/collections/${id}/archive`)).toMatchObject({ status: 200, data: { archived: true } });
    expect(await seen()).toBe(404);
    await ask('POST', `/collections/${id}/archive`, {});
    expect(await ask('POST', `/collections/${id}/archive`, { archived: false })).toMatchObject({ data: { archived: false } });
    expect(await seen()).toBe(200);
    expect(await actionsOf(id)).toEqual(['restored', 'archived', 'published', 'created']);
  });
});

describe('an update', () => {
  it('changes what it names, takes back what is null, and keeps what was before', async () => {
    const { id, path } = await draft({ description: 'sand', price: 0.1, blockchain: 'TEZOS', remixable: true });
    const answer = await ask('PUT', path, { title: 'Seas', price: null, remixable: null, publish_date: '2027-01-31' });
    expect(answer).toMatchObject({
      status: 200,
      data: {
        id, title: 'Seas', description: 'sand', price: null, blockchain: 'TEZOS', remixable: false,
        publish_date: '2027-01-31T00:00:00.000Z', data: { variables: { word: 'sand' } }, is_current: true,
      },
    });
    const [updated] = await historyOf(id);
    expect(updated).toMatchObject({
      action: 'updated', data: { before: { id, title: 'Dunes', price: 0.1, remixable: true, is_current: false } },
    });
    expect(updated.data.before).not.toHaveProperty('data');
  });

  it('puts a new set under new ids, and the old one into the history', async () => {
    const { id, path } = await draft();
    const { data: set } = (await ask('GET', `/collections/${id}`)).data;
    const [{ id: first }] = set.steps;
    const second = { id: 'b', nodeName: 'javascript', nodePayload: { code: 'return 2', inputs: { y: { $ref: first } } } };
    const { data } = await ask('PUT', path, { data: { ...set, steps: [...set.steps, second] } });
    const [a, b] = data.data.steps;
    expect(a).toMatchObject({ fromId: first, nodeName: 'javascript' });
    expect(a.id).not.toBe(first);
    expect(b).toMatchObject({ fromId: 'b', nodePayload: { inputs: { y: { $ref: a.id } } } });
    const [{ data: kept }] = await historyOf(id);
    expect(kept).toMatchObject({ origin: null, before: { data: set, is_current: false } });
    await make(id);
    expect(await ask('PUT', path, { data: { ...SET, steps: [{ ...SCRIPT, nodeName: 'none' }] }, editions: 0 })).toMatchObject({
      status: 400, details: [{ field: 'editions' }, { field: 'data.steps[0].nodeName' }],
    });
  });

  it('makes the set of a workflow one of its own steps: the price of the workflow does not stay with it', async () => {
    const data = { credits: { base: 0, per_generation: 3 }, pipeline: { steps: [{ ...SCRIPT, nodePayload: { code: 'return 1' } }] } };
    const { id: workflow_id } = await createWorkflow(api.database, stranger, { data });
    const { collection_id: id, project_id } = (await ask('POST', '/api/collections/generate', { title: 'Dunes', workflow_id })).data;
    const price = async () =>
      (await ask('POST', `/collections/${id}/generations`, {})).data.cost_breakdown.total_credits;
    expect(await price()).toBe(3);
    await ask('PUT', `/projects/${project_id}/collections/${id}`, { title: 'Seas' });
    expect(await price()).toBe(3);
    await ask('PUT', `/projects/${project_id}/collections/${id}`, { data: SET });
    expect(await price()).toBe(0);
  });

  it('leaves no fewer editions than are finished or under way', async () => {
    const { id, path } = await draft({ data: { ...SET, generations: { hashes: [], generations: 3 } } });
    await make(id);
    expect(await ask('PUT', path, { editions: 2, title: 'Seas' })).toMatchObject({ status: 409, code: 'EDITIONS_EXHAUSTED' });
    expect((await ask('GET', `/collections/${id}`)).data).toMatchObject({ title: 'Dunes', editions: null });
    expect(await ask('PUT', path, { editions: 3 })).toMatchObject({ status: 200, data: { editions: 3 } });
  });

  it('does not take the title of what is published, and finds a collection in its own project only', async () => {
    const id = await published();
    const { data: { project_id } } = await ask('GET', `/collections/${id}`);
    const { data: other } = await ask('POST', '/projects', { name: 'Other' });
    expect(await ask('PUT', `/projects/${project_id}/collections/${id}`, { title: null })).toMatchObject({
      status: 400, details: [{ field: 'title' }],
    });
    expect(await ask('PUT', `/projects/${other.id}/collections/${id}`, {})).toMatchObject({
      status: 404, code: 'COLLECTION_NOT_FOUND',
    });
  });
});

describe('removal', () => {
  it('takes collection and files, and leaves its jobs as a record', async () => {
    const id = await published();
    const jobId = await make(id);
    const asset = await createAsset(api.database, { userId, collectionId: id });
    expect(await ask('DELETE', `/collections/${id}`)).toMatchObject({ status: 200, data: null });
    for (const path of [`/collections/${id}`, `/collections/${id}/public`, `/assets/${asset.id}`]) {
      expect(await ask('GET', path)).toMatchObject({ status: 404 });
    }
    expect(await ask('GET', `/jobs/${jobId}`)).toMatchObject({ status: 200, data: { collection_id: null, status: 'completed' } });
    const [file] = await api.database.query('select deleted_at <= now() as due from flat_file where id = $1', [asset.id]);
    expect(file).toEqual({ due: true });
    expect(await ask('DELETE', `/collections/${id}`)).toMatchObject({ status: 404 });
  });

  it('waits until its jobs have ended, and none comes after it', async () => {
    const { id } = await draft();
    const { data: { job_id } } = await ask('POST', `/collections/${id}/generations`, {});
    expect(await ask('DELETE', `/collections/${id}`)).toMatchObject({ status: 409, code: 'INVALID_JOB_STATUS' });
    await ask('POST', `/jobs/${job_id}/cancel`);
    const [removed, submitted] = await Promise.all([
      ask('DELETE', `/collections/${id}`), ask('POST', `/collections/${id}/generations`, {}),
    ]);
    expect([[200, 404], [409, 201]]).toContainEqual([removed.status, submitted.status]);
  });
});

describe('a remix', () => {
  const remixable = (body: object = {}) => published({ remixable: true, ...body }, stranger);
  const remix = (id: string, body: object = {}, headers = {}) =>
    ask('POST', `/collections/${id}/remix`, body, userId, headers);
  const filesOf = async (id: string, variables: object = {}) => {
    const { data } = await ask('POST', `/collections/${id}/generations`, { variables });
    const [job] = await api.database.query<{ files?: string[] }>(
      `select options -> 'files' as files from job where id = $1`, [data.job_id]);
    return job?.files;
  };

  it('copies the set into a draft of one’s own, under new ids', async () => {
    const id = await remixable({ description: 'sand', price: 5, blockchain: 'BASE' });
    const { data: source } = await ask('GET', `/collections/${id}/public`, undefined, null);
    const { data: project } = await ask('POST', '/projects', { name: 'Remixes' });
    const key = { 'idempotency-key': randomUUID() };
    const { status, data: copy } = await remix(id, { project_id: project.id }, key);
    expect({ status, copy }).toMatchObject({
      status: 201,
      copy: {
        title: 'Dunes', description: 'sand', status: 'draft', project_id: project.id, blockchain: 'BASE', price: null,
        remixable: false, data: { variables: { word: 'sand' }, steps: [{ fromId: source.data.steps[0].id }] },
      },
    });
    expect(copy.data.steps[0].id).not.toBe(source.data.steps[0].id);
    expect((await remix(id, { project_id: project.id }, key)).data.id).toBe(copy.id);
    expect(await historyOf(copy.id)).toMatchObject([{ action: 'created', data: { borrowed: { collection_id: id } } }]);
  });

  it('is not made of what another has not opened', async () => {
    const { id: unpublished } = await draft({ remixable: true }, stranger);
    const archived = await remixable();
    await ask('POST', `/collections/${archived}/archive`, {}, stranger);
    for (const id of [unpublished, archived, await published({}, stranger)]) {
      expect(await remix(id)).toMatchObject({ status: 404, code: 'COLLECTION_NOT_FOUND' });
    }
    expect(await remix((await draft()).id)).toMatchObject({ status: 201 });
  });

  it('keeps form and price of a workflow that is open to the remixer, not those of another’s private one', async () => {
    const data = { credits: { base: 0, per_generation: 3 }, pipeline: { steps: [{ ...SCRIPT, nodePayload: { code: 'return 1' } }] } };
    for (const [visibility, price] of [['public', 3], ['private', 0]] as const) {
      const { id: workflow_id } = await createWorkflow(api.database, stranger, { data, visibility });
      const { collection_id: id } = (await ask('POST', '/api/collections/generate', { title: 'Dunes', workflow_id }, stranger)).data;
      await api.database.query(`update collection set status = 'published', remixable = true where id = $1`, [id]);
      const { data: copy } = await remix(id);
      const { data: receipt } = await ask('POST', `/collections/${copy.id}/generations`, {});
      expect({ visibility, price: receipt.cost_breakdown.total_credits }).toEqual({ visibility, price });
    }
  });

  it('does not run steps that only their author may use', async () => {
    const data = { workflow: { 1: { class_type: 'SaveImage', inputs: {} } } };
    const { name } = await createWorkflow(api.database, stranger, { type: 'comfy_workflow', visibility: 'private', data });
    const id = await remixable({ data: { steps: [{ id: 'a', nodeName: name, nodePayload: {} }] } });
    expect(await remix(id)).toMatchObject({ status: 400, details: [{ field: 'id' }] });
  });

  it('lets no file of the remixer’s be named by another’s set, also after an edit: only what they name themselves', async () => {
    const mine = (await createAsset(api.database, { userId })).id;
    const theirs = await createAsset(api.database, { userId: stranger });
    const open = (await createAsset(api.database, { userId: stranger, collectionId: await remixable() })).id;
    const words = { bait: mine, secret: `/files/${theirs.storageKey}`, open, word: 'sand' };
    const { data: copy } = await remix(await remixable({ data: { steps: [SCRIPT], variables: words } }));
    expect(await filesOf(copy.id)).toEqual([open]);
    expect(await filesOf(copy.id, { word: mine })).toEqual([open, mine]);
    const chosen = (await createAsset(api.database, { userId })).id;
    const variables = { ...words, word: chosen };
    await ask('PUT', `/projects/${copy.project_id}/collections/${copy.id}`, { data: { ...copy.data, variables } });
    expect((await filesOf(copy.id))?.sort()).toEqual([chosen, open].sort());
    const { data: again } = await remix(copy.id);
    expect((await filesOf(again.id))?.sort()).toEqual([chosen, open].sort());
  });

  it('is the same for a draft of another’s asset', async () => {
    const mine = (await createAsset(api.database, { userId })).id;
    const asset = await createAsset(api.database, { userId: stranger, collectionId: await remixable() });
    const made = { version: 'v2', ...SET, variables: { word: mine }, generations: { hashes: [], generations: 1, use_custom_hashes: false } };
    await api.database.query('update flat_file set gen_in_data = $2 where id = $1', [asset.id, JSON.stringify(made)]);
    const { data: copy } = await ask('POST', `/projects/collections?asset_id=${asset.id}`, {});
    expect(await filesOf(copy.id)).toEqual([]);
  });
});

describe('the public list', () => {
  it('shows what is published and not archived, by name and chain, in pages, to everyone', async () => {
    const mark = randomUUID();
    const [dunes, seas, hidden] = [
      await published({ title: `Dunes ${mark}`, blockchain: 'TEZOS' }),
      await published({ title: 'Seas', description: `100% ${mark.toUpperCase()}` }),
      await published({ title: mark }),
    ];
    await draft({ title: mark });
    await ask('POST', `/collections/${hidden}/archive`);
    for (let n = 0; n < 5; n += 1) await createAsset(api.database, { userId, collectionId: dunes });
    const list = async (query: string) => (await ask('GET', `/collections?${query}`, undefined, null)).data;
    const ids = async (query: string) => (await list(query)).items.map(({ id }: { id: string }) => id);
    expect(await ids(`q=${mark}`)).toEqual([seas, dunes]);
    expect(await ids(`q=${mark}&blockchain=TEZOS`)).toEqual([dunes]);
    expect(await ids(`q=${encodeURIComponent(`100% ${mark}`)}`)).toEqual([seas]);
    expect(await ids(`q=${encodeURIComponent(`%${mark}`)}`)).toEqual([]);
    const first = await list(`q=${mark}&limit=1`);
    expect(first.items).toMatchObject([{ id: seas, status: 'published', images: [] }]);
    expect(first.items[0]).not.toHaveProperty('data');
    const second = await list(`q=${mark}&limit=1&cursor=${first.next_cursor}`);
    expect(second).toMatchObject({ items: [{ id: dunes }], next_cursor: null });
    expect(second.items[0].images).toHaveLength(4);
  });
});

describe('the history', () => {
  it('comes in pages, which end early where entries are large', async () => {
    const { id } = await draft();
    await api.database.query(
      `insert into collection_history (collection_id, user_id, action, data)
       select $1, $2, 'updated', jsonb_build_object('before', repeat('x', 900000)) from generate_series(1, 6)`,
      [id, userId],
    );
    const page = async (query: string) => (await ask('GET', `/collections/${id}/history?${query}`)).data;
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
