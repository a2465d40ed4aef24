import { randomUUID } from 'node:crypto';
import { call } from '../../../test/api/calls.js';
import { createUser } from '../../../test/factories/job-submission.js';
import { startTestApi, type TestApi } from '../../../test/setup/api.js';
import { FormConfigsController } from './form-configs.controller.js';

type Answered = Record<string, unknown> & { id: string };
const STEPS = [{ id: 'a', nodeName: 'javascript', nodePayload: { code: 'return variables.style' } }];

describe(FormConfigsController.name, () => {
  let api: TestApi;
  let userId: string;
  let name: string;

  beforeAll(async () => {
    api = await startTestApi({ LOG_LEVEL: 'silent' });
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    [userId, name] = [await createUser(api.database, 100), `styles ${randomUUID()}`];
  });

  const ask = async (method: string, path: string, body?: unknown, headers = api.as(userId)) => {
    const { status, json } = await call(`${api.url}${path}`, { method, body, headers });
    return { status, code: json?.code, data: json?.data as Answered, details: json?.details };
  };
  const admin = () => api.as(randomUUID(), 'admin');
  const create = async (options: unknown, as = admin()) => ask('POST', '/form-configs', { name, options }, as);
  const replace = (id: string, options: unknown) => ask('PUT', `/form-configs/${id}`, { name, options }, admin());
  const workflow = (field: object = {}) =>
    ask('POST', '/workflows', {
      name: `painter ${randomUUID()}`, type: 'pipeline', output_mime_type: 'text/plain',
      data: { form: { fields: [{ id: 'style', type: 'select', conf_file: name, ...field }] }, pipeline: { steps: STEPS } },
    });
  const estimate = (id: string, style: unknown) => ask('POST', `/workflows/${id}/estimate`, { variables: { style } });

  it('keeps option lists that admins write and everyone reads', async () => {
    const options = [{ name: 'Ink', value: 'ink' }, { label: 'Two', value: 2 }, { value: true }];
    const { status, data } = await create(options);
    expect(status).toBe(201);
    const found = await ask('GET', `/form-configs/name/${encodeURIComponent(name)}`);
    expect(found.data).toEqual(data);
    expect(data['options']).toMatchObject(options);
    expect((await ask('GET', '/form-configs?limit=1')).data['items']).toMatchObject([{ id: data.id, name, options_count: 3 }]);
    expect((await create([{ value: 1 }])).code).toBe('NAME_TAKEN');
    expect((await ask('DELETE', `/form-configs/${data.id}`, undefined, admin())).status).toBe(200);
    expect((await ask('GET', `/form-configs/name/${encodeURIComponent(name)}`)).status).toBe(404);
  });

  it('is no place for users to write', async () => {
    const { data } = await create([{ value: 1 }]);
    expect((await create([{ value: 1 }], api.as(userId))).code).toBe('FORBIDDEN');
    expect((await ask('PUT', `/form-configs/${data.id}`, { name, options: [{ value: 2 }] })).code).toBe('FORBIDDEN');
    expect((await ask('DELETE', `/form-configs/${data.id}`)).code).toBe('FORBIDDEN');
  });

  it.each([[[]], [[{ name: 'no value' }]], [[{ value: { a: 1 } }]], [[{ value: null }]], ['ink'], [[{ value: 1, more: 1 }]]])(
    'refuses the options %j', async (options) => {
      expect(await create(options)).toMatchObject({ status: 400, code: 'VALIDATION_ERROR' });
    });

  it('fills the options in where the form is shown and checked, as they are then', async () => {
    const { data: config } = await create([{ name: 'Ink', value: 'ink' }, { value: 2 }]);
    const { status, data: saved } = await workflow();
    expect(status).toBe(201);
    const options = [{ value: 'ink', name: 'Ink' }, { value: 2, name: '2' }];
    for (const shown of [saved, (await ask('GET', `/workflows/${saved.id}`)).data]) {
      expect(shown).toMatchObject({ data: { form: { fields: [{ conf_file: name, options }] } } });
    }
    expect(saved['form_schema']).toMatchObject({ properties: { style: { enum: ['ink', 2] } } });
    expect((await estimate(saved.id, 'ink')).status).toBe(200);
    expect((await estimate(saved.id, 'oil')).details).toMatchObject([{ field: 'variables.style' }]);
    await replace(config.id, [{ value: 'oil' }]);
    expect((await estimate(saved.id, 'oil')).status).toBe(200);
    expect((await estimate(saved.id, 'ink')).details).toMatchObject([{ field: 'variables.style' }]);
    await ask('DELETE', `/form-configs/${config.id}`, undefined, admin());
    expect((await estimate(saved.id, 'oil')).details).toMatchObject([{ field: 'variables.style' }]);
  });

  it('is not stored with the workflow that names it', async () => {
    await create([{ value: 'ink' }]);
    const { data } = await workflow({ options: [{ value: 'mine' }] });
    const [row] = await api.database.query("select data -> 'form' as form from workflow_version where workflow_id = $1", [data.id]);
    expect(row).toEqual({ form: { fields: [{ id: 'style', type: 'select', conf_file: name }] } });
  });

  it('must be there when a workflow is saved, with its default among its options', async () => {
    expect((await workflow()).details).toMatchObject([{ field: 'data.form.fields[0].conf_file' }]);
    await create([{ value: 'ink' }]);
    expect((await workflow({ default: 'oil' })).details).toMatchObject([{ field: 'data.form.fields[0].default' }]);
    expect((await workflow({ default: 'ink' })).status).toBe(201);
  });
});
