import { randomUUID } from 'node:crypto';
import { startTestApi, type TestApi } from '../../../test/setup/api.js';
import { WorkflowsController } from './workflows.controller.js';

const form = {
  config: { maxNumberOfGenerations: 4 },
  fields: [
    { id: 'subject', type: 'prompt_editor', required: true },
    { id: 'size', type: 'slider', default: 2, constraints: { min: 1, max: 8 } },
  ],
};
const body = (differs: Record<string, unknown> = {}) => ({
  name: `fox-${randomUUID()}`,
  label: 'Fox',
  type: 'pipeline',
  output_mime_type: 'image/png',
  tags: ['ink'],
  data: {
    form,
    pipeline: { version: 'v2', steps: [{ id: 'text', nodeName: 'prompt', nodePayload: { template: '{{subject}}' } }] },
    credits: 'function computeCost(context) { return { cost: context.size * 0.25 }; }',
    test: { subject: 'a fox', size: 4 },
    estimated_duration: 3,
  },
  ...differs,
});

describe(WorkflowsController.name, () => {
  let api: TestApi;
  let author: string;

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.close());
  beforeEach(() => {
    author = randomUUID();
  });

  const send = async (path: string, { user = author, json, headers = {} }: {
    user?: string | null; json?: unknown; headers?: Record<string, string>;
  } = {}) => {
    const response = await fetch(`${api.url}${path}`, {
      method: json === undefined ? 'GET' : 'POST',
      headers: { ...(user ? api.as(user) : {}), 'content-type': 'application/json', ...headers },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
  };
  const create = (json: unknown = body(), headers?: Record<string, string>) =>
    send('/workflows', { json, ...(headers && { headers }) });
  const faultsOf = (answer: { body: { details: Array<{ field: string }> } }) =>
    answer.body.details.map(({ field }) => field).sort();

  it('stores a workflow and gives it back to its author whole', async () => {
    const json = body();
    const created = await create(json);
    expect(created).toMatchObject({ status: 201, body: { success: true, error: null } });
    const workflow = created.body.data;
    expect(workflow).toMatchObject({
      name: json.name, label: 'Fox', description: null, type: 'pipeline', output_mime_type: 'image/png',
      visibility: 'private', tags: ['ink'], version: 1, data: json.data,
      form_schema: { required: ['subject'], properties: { size: { type: 'number', minimum: 1, maximum: 8 } } },
      price: { base: 0, per_generation: { min: 1, max: 1 } },
      estimated_duration: 3,
    });
    expect((await send(`/workflows/${workflow.id}`)).body.data).toEqual(workflow);
  });

  it('shows others a public workflow without how it is made', async () => {
    const { id } = (await create(body({ visibility: 'public' }))).body.data;
    for (const user of [null, randomUUID()]) {
      expect((await send(`/workflows/${id}`, { user })).body.data.data).toEqual(
        { form, estimated_duration: 3 },
      );
    }
    const listed = (await send('/workflows?limit=100', { user: null })).body.data.items;
    expect(listed.find((workflow: { id: string }) => workflow.id === id).data).toEqual({
      form: {
        fields: [
          { id: 'subject', name: null, type: 'prompt_editor', required: true },
          { id: 'size', name: null, type: 'slider', required: false },
        ],
      },
      estimated_duration: 3,
    });
  });

  it('lists a summary of large forms, also to their author', async () => {
    const fields = Array.from({ length: 60 }, (_, n) => ({ id: `f${n}`, placeholder: 'x'.repeat(900) }));
    const name = `big-${randomUUID()}`;
    const created = await create(body({ name, type: 'basic', data: { form: { fields } } }));
    expect(created.status).toBe(201);
    const listed = await send(`/workflows?q=${name}`);
    const [item] = listed.body.data.items;
    expect(listed.text.length).toBeLessThan(8_000);
    expect(item.data.form.fields).toHaveLength(50);
    expect(Object.keys(item).sort()).toEqual(Object.keys(created.body.data).sort());
    const whole = (await send(`/workflows/${created.body.data.id}`)).body.data;
    expect(whole.data.form.fields).toEqual(fields);
  });

  it('refuses a form of more than 64 KiB', async () => {
    const fields = Array.from({ length: 80 }, (_, n) => ({ id: `f${n}`, placeholder: 'x'.repeat(900) }));
    expect(faultsOf(await create(body({ type: 'basic', data: { form: { fields } } })))).toEqual(['data.form']);
  });

  it('hides a private workflow, as if it did not exist', async () => {
    const { id, name } = (await create()).body.data;
    const hidden = { status: 404, body: { success: false, error: 'Workflow not found', code: 'WORKFLOW_NOT_FOUND' } };
    for (const user of [null, randomUUID()]) {
      expect(await send(`/workflows/${id}`, { user })).toMatchObject(hidden);
      expect((await send(`/workflows?q=${name}`, { user })).body.data).toEqual(
        { items: [], next_cursor: null },
      );
    }
    const stranger = { user: randomUUID(), json: {} };
    expect(await send(`/workflows/${id}/estimate`, stranger)).toMatchObject(hidden);
    expect(await send('/workflows/nonsense')).toMatchObject(hidden);
    expect((await send(`/workflows?q=${name}`)).body.data.items).toHaveLength(1);
  });

  it('tells faults of the fields and of what the workflow would do together', async () => {
    const answer = await create({
      type: 'pipeline', visibility: 'secret', tags: [''], colour: 'red',
      data: {
        form,
        pipeline: { steps: [{ id: 'a', nodeName: 'prompt', nodePayload: { template: '{{x}}', model: 7 } }] },
      },
    });
    expect(answer).toMatchObject(
      { status: 400, body: { error: 'Invalid request body', code: 'VALIDATION_ERROR' } },
    );
    expect(faultsOf(answer)).toEqual([
      'colour', 'data.pipeline.steps[0].nodePayload.model', 'data.pipeline.steps[0].nodePayload.template', 'name',
      'tags', 'visibility',
    ]);
  });

  it('says which types this version takes', async () => {
    const answer = await create(body({ type: 'nothing' }));
    expect(answer.body.details).toEqual([{ field: 'type', message: expect.stringContaining('must be one of basic') }]);
  });

  it('refuses a name that is taken, and stores a repeated request once', async () => {
    const json = body();
    const headers = { 'idempotency-key': randomUUID() };
    const [first, again] = [await create(json, headers), await create(json, headers)];
    expect(again).toMatchObject({ status: 201, text: first.text });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await create(json)).toMatchObject({ status: 409, body: { code: 'NAME_TAKEN' } });
  });

  it('needs a caller to create and to estimate, and refuses a cursor that is not its own', async () => {
    expect(await send('/workflows', { user: null, json: body() })).toMatchObject({ status: 401 });
    const { id } = (await create(body({ visibility: 'public' }))).body.data;
    expect(await send(`/workflows/${id}/estimate`, { user: null, json: {} })).toMatchObject({ status: 401 });
    expect(faultsOf(await send('/workflows?cursor=abc'))).toEqual(['cursor']);
  });

  it('pages and filters', async () => {
    const tag = `tag-${randomUUID().slice(0, 8)}`;
    const basic = { type: 'basic', data: { form } };
    for (const differs of [basic, {}, {}]) await create(body({ tags: [tag], ...differs }));
    const first = (await send(`/workflows?tag=${tag}&limit=2`)).body.data;
    expect(first.items).toHaveLength(2);
    const second = (await send(`/workflows?tag=${tag}&limit=2&cursor=${first.next_cursor}`)).body.data;
    expect(second).toMatchObject({ items: [{ type: 'basic' }], next_cursor: null });
    expect((await send(`/workflows?tag=${tag}&type=basic`)).body.data.items).toHaveLength(1);
  });

  describe('estimate', () => {
    const estimate = async (json: unknown, differs = {}) => {
      const { id } = (await create(body(differs))).body.data;
      return send(`/workflows/${id}/estimate`, { json });
    };

    it('prices the given variables and writes nothing', async () => {
      const counts = () =>
        api.database.query('select (select count(*) from job) as jobs, (select count(*) from credit_entry) as entries');
      const before = await counts();
      const answer = await estimate({ variables: { subject: 'a fox', size: '8' }, generations: 3 });
      expect(answer).toMatchObject({
        status: 200,
        body: {
          data: {
            cost_breakdown: { total_credits: 6, per_generation: 2, workflow_base_cost: 0 },
            estimated_duration: 9,
          },
        },
      });
      expect(await counts()).toEqual(before);
    });

    it('adds the base cost once', async () => {
      const data = { ...body().data, credits: { base: 1, per_generation: 0.25 } };
      const answer = await estimate({ variables: { subject: 'x' }, generations: 2 }, { data });
      expect(answer.body.data.cost_breakdown).toEqual(
        { total_credits: 1.5, per_generation: 0.25, workflow_base_cost: 1 },
      );
    });

    it('tells every fault of the request', async () => {
      const answer = await estimate({ variables: { size: 9, colour: 1 }, generations: 0, extra: true });
      expect(faultsOf(answer)).toEqual(
        ['extra', 'generations', 'variables.colour', 'variables.size', 'variables.subject'],
      );
      expect(faultsOf(await estimate({ variables: { subject: 'x' }, generations: 5 }))).toEqual(
        ['generations'],
      );
    });
  });
});
