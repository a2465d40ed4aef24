import { randomUUID } from 'node:crypto';
import { generateHash } from '#libs/instruction-set/hash.js';
import { EMPTY_INSTRUCTION_SET, type InstructionSet } from '#libs/instruction-set/instruction-set.js';
import { createUser } from '../../../test/factories/job-submission.js';
import { buildWorkflow, createWorkflow } from '../../../test/factories/workflow.js';
import { startTestApi, type TestApi } from '../../../test/setup/api.js';

/** A pipeline of one script; nothing runs it here, since there is no worker. */
const WORKFLOW_DATA = {
  ...buildWorkflow().data,
  pipeline: { steps: [{ id: 'a', nodeName: 'javascript', nodePayload: { code: 'return variables.word' } }] },
};

/** An answer's envelope, with what `data` of these routes may hold. */
interface Answered {
  status: number;
  text: string;
  code?: string;
  details?: Array<{ field: string }>;
  data: {
    id: string;
    job_id: string;
    collection_id: string;
    project_id: string;
    urls: { collection_url: string; job_status_url: string };
    data: InstructionSet;
    items: Array<{ id: string; name: string }>;
    next_cursor: string | null;
    generations: unknown[];
  };
}

async function answered(response: Response): Promise<Answered> {
  const text = await response.text();
  return { ...(JSON.parse(text) as Answered), status: response.status, text };
}

describe('Submissions over HTTP', () => {
  let api: TestApi;
  let userId: string;
  let workflowId: string;

  beforeAll(async () => {
    api = await startTestApi();
    workflowId = (await createWorkflow(api.database, await createUser(api.database), { data: WORKFLOW_DATA })).id;
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    userId = await createUser(api.database, 10);
  });

  const post = async (path: string, body: unknown, headers: Record<string, string> = {}, user = userId) =>
    answered(
      await fetch(`${api.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...api.as(user), ...headers },
        body: JSON.stringify(body),
      }),
    );
  const get = async (path: string, user?: string) =>
    answered(await fetch(`${api.url}${path}`, { headers: user ? api.as(user) : {} }));
  const minimal = () => ({ title: 'Dunes', workflow_id: workflowId, variables: { word: 'sand' } });
  const fieldsOf = ({ details = [] }: Answered) => [...new Set(details.map(({ field }) => field))];

  it('answers the unified call with 201 and the data of a submission', async () => {
    const answer = await post('/api/collections/generate', minimal());
    expect(answer).toMatchObject({ status: 201, success: true, error: null });
    const { collection_id: collectionId, job_id: jobId } = answer.data;
    expect(answer.data).toEqual({
      collection_id: collectionId, job_id: jobId, project_id: expect.any(String), status: 'pending',
      estimated_duration: expect.any(Number),
      cost_breakdown: { total_credits: 0.75, per_generation: 0.25, workflow_base_cost: 0.5 },
      urls: {
        collection_url: `/collections/${collectionId}/public`,
        job_status_url: `/jobs/${jobId}`,
        job_events_url: `/jobs/${jobId}/events`,
      },
    });
    expect(await get(answer.data.urls.job_status_url, userId)).toMatchObject({
      status: 200,
      data: { id: jobId, status: 'pending', name: 'Generate Collection: Dunes', cost: { total: 0.75, held: 0.75 } },
    });
    const { collection_url: collectionUrl } = answer.data.urls;
    expect(await get(collectionUrl, userId)).toMatchObject({ status: 200, data: { status: 'draft' } });
    expect(await get(collectionUrl)).toMatchObject({ status: 404, code: 'COLLECTION_NOT_FOUND' });
  });

  it('names the faults of the body and what the workflow has against it in one answer', async () => {
    const answer = await post('/api/collections/generate', {
      workflow_id: workflowId,
      variables: { size: 11, shape: 'round' },
      generations: 6,
      metadata: { price: -1 },
      options: { generate_preview: 'yes' },
      webhook_url: 'ftp://example.com',
      webhook_events: ['node_progress'],
      colour: 'red',
    });
    expect(answer).toMatchObject({ status: 400, code: 'VALIDATION_ERROR', error: 'Invalid request body' });
    expect(fieldsOf(answer).sort()).toEqual([
      'colour', 'generations', 'metadata.price', 'options.generate_preview', 'title', 'variables.shape',
      'variables.size', 'variables.word', 'webhook_events', 'webhook_url',
    ]);
  });

  it('answers 402 with what is missing', async () => {
    const poor = await createUser(api.database, 0.5);
    expect(await post('/api/collections/generate', minimal(), {}, poor)).toMatchObject({
      status: 402,
      code: 'INSUFFICIENT_CREDITS',
      error: 'Insufficient credits',
      details: { required: 0.75, available: 0.5, cost_breakdown: { total_credits: 0.75, per_generation: 0.25 } },
    });
  });

  it("answers 404 for a workflow and a project that are not the caller's", async () => {
    expect(await post('/api/collections/generate', { ...minimal(), workflow_id: randomUUID() })).toMatchObject({
      status: 404, code: 'WORKFLOW_NOT_FOUND', error: 'Workflow not found',
    });
    const theirs = await post('/projects', { name: 'Theirs' }, {}, await createUser(api.database));
    expect(await post('/api/collections/generate', { ...minimal(), project_id: theirs.data.id })).toMatchObject({
      status: 404, code: 'PROJECT_NOT_FOUND',
    });
  });

  it('submits once per Idempotency-Key, and answers the same bytes again', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => post('/api/collections/generate', minimal(), headers)),
    );
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    const [{ id } = { id: '' }, ...others] = await api.database.query<{ id: string }>(
      'select id from job where user_id = $1',
      [userId],
    );
    expect(others).toEqual([]);
    const waited = await post('/api/collections/generate', minimal(), { ...headers, prefer: 'wait=1' });
    expect(waited).toMatchObject({ status: 201, text: answers[0]?.text, data: { job_id: id } });
    expect(await post('/api/collections/generate', { ...minimal(), title: 'Other' }, headers)).toMatchObject({
      status: 422,
    });
  });

  it('frees the key of a 402, so that a top-up helps', async () => {
    const poor = await createUser(api.database);
    const headers = { 'idempotency-key': 'once' };
    expect(await post('/api/collections/generate', minimal(), headers, poor)).toMatchObject({ status: 402 });
    await api.database.query('update account set balance = 1000000 where user_id = $1', [poor]);
    expect(await post('/api/collections/generate', minimal(), headers, poor)).toMatchObject({ status: 201 });
  });

  it('holds the answer until the job has ended, for as long as asked', async () => {
    const started = Date.now();
    expect(await post('/api/collections/generate', minimal(), { prefer: 'wait=1' })).toMatchObject({
      status: 201, data: { status: 'pending' },
    });
    expect(Date.now() - started).toBeGreaterThanOrEqual(1_000);
    const early = post('/api/collections/generate', minimal(), { prefer: 'wait=30' });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { data: jobs } = await get('/jobs?limit=1', userId);
    await post(`/jobs/${jobs.items[0]?.id}/cancel`, {});
    expect(await early).toMatchObject({ status: 201, data: { job_id: jobs.items[0]?.id, status: 'cancelled' } });
  });

  describe('POST /projects/collections', () => {
    const step = { id: 'a', nodeName: 'javascript', nodePayload: { code: 'return 1' } };
    const set = { version: 'v2', steps: [step], variables: {}, generations: { generations: 2 } };

    it('makes an empty draft, whose generation is refused', async () => {
      const answer = await post('/projects/collections', {});
      expect(answer).toMatchObject({
        status: 201,
        data: {
          title: null, status: 'draft', remixable: false, images: [],
          data: EMPTY_INSTRUCTION_SET,
        },
      });
      expect(await get(`/collections/${answer.data.id}`, userId)).toMatchObject({ status: 200, data: answer.data });
      expect(await post(`/collections/${answer.data.id}/generations`, {})).toMatchObject({ status: 400 });
    });

    it('takes a set and flat, nullable fields, and generates from it', async () => {
      const { data: project } = await post('/projects', { name: 'Mine' });
      const answer = await post(`/projects/collections?project_id=${project.id}`, {
        data: set, title: 'Mine', description: null, editions: null, price: 2, blockchain: 'TEZOS', remixable: true,
        archived: null, encryption_enabled: false,
      });
      expect(answer).toMatchObject({
        status: 201,
        data: { project_id: project.id, title: 'Mine', price: 2, currency: 'XTZ', remixable: true, archived: false },
      });
      expect(answer.data.data.steps).toEqual([{ ...step, id: expect.any(Number), fromId: 'a' }]);
      const more = await post(`/collections/${answer.data.id}/generations`, {});
      expect(more).toMatchObject({ status: 201, data: { collection_id: answer.data.id, project_id: project.id } });
      expect((await get(`/jobs/${more.data.job_id}`, userId)).data.generations).toHaveLength(2);
    });

    it('names the faults of the fields and of the set together', async () => {
      const answer = await post('/projects/collections', {
        title: '',
        encryption_enabled: 'yes',
        owner: 'me',
        data: {
          ...set,
          steps: [step, { ...step, nodeName: 'nothing' }],
          generations: { hashes: [generateHash(), 'x'], use_custom_hashes: true },
        },
      });
      expect(answer.status).toBe(400);
      expect(fieldsOf(answer)).toEqual(
        expect.arrayContaining([
          'title', 'encryption_enabled', 'owner', 'data.steps[1].id', 'data.steps[1].nodeName',
          'data.generations.hashes[1]',
        ]),
      );
    });

    it('makes a draft of what made an asset, for its owner alone', async () => {
      const { data: source } = await post('/projects/collections', { data: set });
      const one = { hashes: [generateHash()], generations: 1, use_custom_hashes: true };
      const [file] = await api.database.query<{ id: string }>(
        `insert into flat_file (
           user_id, collection_id, name, storage_key, url, mime_type, size, sha256, shown, gen_in_data)
         values ($1, $2, 'a', 'k', '/files/k', 'image/png', 1, 's', true, $3) returning id`,
         [userId, source.id, JSON.stringify({ ...source.data, generations: one })],
      );
      const answer = await post(`/projects/collections?asset_id=${file?.id}`, {});
      expect(answer).toMatchObject({
        status: 201,
        data: { data: { steps: [{ nodeName: 'javascript', fromId: source.data.steps[0]?.id }] } },
      });
      await api.database.query('update flat_file set gen_in_data = $2 where id = $1', [file?.id, JSON.stringify(set)]);
      expect(await post(`/projects/collections?asset_id=${file?.id}`, {})).toMatchObject({ status: 201 });
      await api.database.query('update flat_file set gen_in_data = null where id = $1', [file?.id]);
      expect(fieldsOf(await post(`/projects/collections?asset_id=${file?.id}`, {}))).toEqual(['asset_id']);
      const stranger = await createUser(api.database);
      for (const id of [file?.id, '999999', 'x']) {
        const refused = await post(`/projects/collections?asset_id=${id}`, {}, {}, stranger);
        expect(refused).toMatchObject({ status: 404, code: 'NOT_FOUND' });
      }
    });
  });

  it.each([
    ['/collections/:id'],
    ['/collections/:id/public'],
    ['/projects/:id'],
  ])("answers 404 at %s for another user's id and for what is none", async (path) => {
    const { data } = await post('/projects/collections', {});
    const id = path.startsWith('/projects') ? data.project_id : data.id;
    expect(await get(path.replace(':id', id), userId)).toMatchObject({ status: 200 });
    const stranger = await createUser(api.database);
    for (const other of [id, randomUUID(), 'nothing']) {
      expect((await get(path.replace(':id', other), stranger)).status).toBe(404);
    }
    expect((await post(`/collections/${data.id}/generations`, {}, {}, stranger)).status).toBe(404);
  });

  it("lists one's own projects, the newest first", async () => {
    for (const name of ['one', 'two', 'three']) await post('/projects', { name });
    const first = await get('/projects?limit=2', userId);
    expect(first.data.items.map(({ name }) => name)).toEqual(['three', 'two']);
    const rest = await get(`/projects?limit=2&cursor=${first.data.next_cursor}`, userId);
    expect(rest.data).toEqual({
      items: [
        { id: expect.any(String), name: 'one', is_default: false, version: 'v2', created_at: expect.any(String) },
      ],
      next_cursor: null,
    });
    expect(await post('/projects', { name: '' })).toMatchObject({ status: 400 });
  });
});
