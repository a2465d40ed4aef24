import { asUser, dataOf } from '../../../test/api/callers.js';
import { createUser } from '../../../test/factories/job-submission.js';
import { buildWorkflow, createWorkflow } from '../../../test/factories/workflow.js';
import { startTestApi, type TestApi } from '../../../test/setup/api.js';
import { readBody } from './submitted-body.js';
import { CamelCaseLabelsBody, labelsOf } from './submission-labels.dto.js';

const STEPS = [{ id: 'a', nodeName: 'javascript', nodePayload: { code: 'return 1' } }];
const URL = 'https://hooks.example.com:8443/a?b=c';

describe('what each submission may say about its job', () => {
  let api: TestApi;
  let userId: string;
  let workflowId: string;

  beforeAll(async () => {
    api = await startTestApi();
    const data = { ...buildWorkflow().data, pipeline: { steps: STEPS } };
    workflowId = (await createWorkflow(api.database, await createUser(api.database), { data })).id;
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    userId = await createUser(api.database, 10);
  });

  const post = (path: string, body: unknown) => asUser(api, userId, path, { method: 'POST', body });
  const minimal = () => ({ title: 'Dunes', workflow_id: workflowId, variables: { word: 'sand' } });
  const webhooks = () =>
    api.database.query('select job_id, url, host, events from webhook where user_id = $1', [userId]);
  const collectionOf = async () =>
    dataOf(await post('/projects/collections', { data: { steps: STEPS, variables: {} } })).id;

  const SUBMISSIONS: Array<[what: string, path: () => Promise<string>, body: () => object]> = [
    ['the unified call', async () => '/api/collections/generate', minimal],
    ['a trial', async () => `/workflows/${workflowId}/test`, () => ({ variables: { word: 'sand' } })],
    ['more editions', async () => `/collections/${await collectionOf()}/generations`, () => ({})],
  ];

  it.each(SUBMISSIONS)('is kept of %s: tags, an id, and whom to tell of what', async (_what, path, body) => {
    const to = await path();
    const events = ['image_generated', 'job_failed'];
    const labels = { tags: ['ink'], external_id: 'order-1', webhook_url: URL, webhook_events: events };
    const { job_id } = dataOf(await post(to, { ...body(), ...labels }));
    const told = { job_id, url: URL, host: 'hooks.example.com:8443', events };
    expect(await webhooks()).toEqual([told]);
    expect(dataOf(await asUser(api, userId, '/jobs?tag=ink&external_id=order-1')).items).toMatchObject([{ id: job_id }]);
  });

  it('is the same on faces that speak camelCase', async () => {
    const labels = { tags: ['ink'], externalId: 'order-1', webhookUrl: URL, webhookEvents: ['job_failed'] };
    const { body } = await readBody(CamelCaseLabelsBody, labels);
    expect(labelsOf(body!)).toEqual({ tags: ['ink'], externalId: 'order-1', webhook: { url: URL, events: ['job_failed'] } });
    expect(labelsOf((await readBody(CamelCaseLabelsBody, {})).body!)).toEqual({ tags: [], externalId: null, webhook: null });
    const { faults } = await readBody(CamelCaseLabelsBody, { webhookUrl: 'x', webhookEvents: ['x'] });
    expect(new Set(faults!.map(({ field }) => field))).toEqual(new Set(['webhookUrl', 'webhookEvents']));
  });

  it('may be nothing; a webhook is told by default how the job ends', async () => {
    await post('/api/collections/generate', minimal());
    expect(await webhooks()).toEqual([]);
    await post('/api/collections/generate', { ...minimal(), webhook_url: URL });
    expect(await webhooks()).toMatchObject([{ events: ['job_completed', 'job_failed', 'job_cancelled'] }]);
  });

  it.each([
    ['an address of another protocol', { webhook_url: 'ftp://example.com/' }, 'webhook_url'],
    ['no address', { webhook_url: 'hooks' }, 'webhook_url'],
    ['nothing', { webhook_url: null }, 'webhook_url'],
    ['an address with a password', { webhook_url: 'https://me:secret@example.com/' }, 'webhook_url'],
    ['an address that is too long', { webhook_url: `https://example.com/${'x'.repeat(2_048)}` }, 'webhook_url'],
    ['one that becomes too long', { webhook_url: `https://example.com/${'ü'.repeat(500)}` }, 'webhook_url'],
    ['an empty list of events', { webhook_url: URL, webhook_events: [] }, 'webhook_events'],
    ['events that are no list', { webhook_url: URL, webhook_events: 'job_failed' }, 'webhook_events'],
    ['an event twice', { webhook_url: URL, webhook_events: ['job_failed', 'job_failed'] }, 'webhook_events'],
    ['an event that is not recorded', { webhook_url: URL, webhook_events: ['node_progress'] }, 'webhook_events'],
      ['events without an address', { webhook_events: ['job_failed'] }, 'webhook_events'],
  ])('refuses %s', async (_what, labels, field) => {
    const { status, json } = await post('/api/collections/generate', { ...minimal(), ...labels });
    const fields = (json!.details as Array<{ field: string }>).map((fault) => fault.field);
    expect([status, [...new Set(fields)]]).toEqual([400, [field]]);
    expect(await webhooks()).toEqual([]);
  });
});
