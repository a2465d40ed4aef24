import fc from 'fast-check';
import type { Step } from '#libs/instruction-set/instruction-set.js';
import { createDraftQueue } from '#libs/queue/index.js';
import type { DraftQueue } from '#libs/queue/draft-queue.js';
import type { FormField } from '#libs/workflows/form.js';
import { createUser } from '../factories/job-submission.js';
import { buildWorkflow, createWorkflow } from '../factories/workflow.js';
import { startTestApi, type TestApi } from '../setup/api.js';
import { call, type Answered, type Call } from './calls.js';
import { envelopeFaults } from './envelope.js';
import { bodiesWithNull, hostileBody, hostileQuery, hostileText } from './hostile.js';
import { OPERATOR_BODIES } from './operator-refusals.js';
import { methodOf, pathOf, ROUTES, TWO_STEP } from './routes.js';
import { Rows } from './rows.js';
import { createTenant, type Tenant } from './tenant.js';

/** Bodies, queries and headers that are tried on each route. A failure prints the seed that repeats it. */
const RUNS = 200;
const FEWER = 50;

const PLENTY = { submitsPerMinute: 1_000_000, readsPerMinute: 1_000_000, maxInFlight: 1_000_000, monthlyGenerations: 1_000_000 };
const PLANS = JSON.stringify({ free: PLENTY });
const WHOLE_TWO_STEP = {
  ...TWO_STEP,
  modelImages: ['https://images.example/anna.jpg'],
  customPrompt: 'on a beach',
  parameters: { guidance_scale: 7.5, num_inference_steps: 20, strength: 0.5, seed: 1 },
  tags: ['ink'],
  externalId: 'x',
  webhookUrl: 'https://hooks.example.com/a',
  webhookEvents: ['job_completed'],
};
const STEPS: Step[] = [
  {
    id: 'a',
    nodeName: 'javascript',
    alias: 'plan',
    nodePayload: { code: 'return 1', inputs: { x: '{{word}}' } },
  },
  { id: 'b', nodeName: 'p5', nodePayload: { code: 'x', width: 10, height: { $ref: 'a', path: 'size' } } },
];
const FIELDS: FormField[] = [
  { id: 'word', type: 'input', default: 'sand' },
  { id: 'size', type: 'slider', default: 3, constraints: { min: 1, max: 10, step: 1 } },
  { id: 'image', type: 'image_loader' },
];
const DATA = {
  form: { config: { maxNumberOfGenerations: 5 }, fields: FIELDS },
  pipeline: { steps: [STEPS[0]!] },
};

/** Sound bodies with all their fields, of all routes that take JSON. */
const BODIES: Record<string, (tenant: Tenant, workflowId: string) => object> = {
  'POST /api/collections/generate': ({ projectId }, workflowId) => ({
    title: 'Dunes',
    workflow_id: workflowId,
    project_id: projectId,
    description: 'sand',
    generations: 2,
    variables: { word: 'sand', size: 3, image: '1' },
    tags: ['ink'],
    external_id: 'x',
    webhook_url: 'https://hooks.example.com/a',
    webhook_events: ['job_completed', 'image_generated'],
    options: {
      workflow_priority: 50,
      auto_publish: true,
      generate_preview: false,
      save_intermediate_outputs: true,
    },
    metadata: {
      editions: 10,
      price: 0.5,
      currency: 'ETH',
      blockchain: 'BASE',
      publish_date: '2027-01-31T12:00:00Z',
      cover_image_url: 'https://example.com/a.png',
      batch_mint_enabled: true,
      batch_max_tokens: 5,
      encryption_enabled: false,
    },
  }),
  'POST /projects/collections': () => ({
    title: 'Dunes',
    description: 'sand',
    editions: 10,
    publish_date: null,
    price: 1,
    cover_image_url: null,
    archived: false,
    batch_mint_enabled: false,
    batch_max_tokens: 1,
    encryption_enabled: false,
    blockchain: 'TEZOS',
    remixable: true,
    data: {
      version: 'v2',
      steps: STEPS,
      variables: { word: 'sand' },
      generations: { hashes: [], generations: 2 },
    },
  }),
  'PUT /projects/:projectId/collections/:collectionId': () => ({
    title: 'More dunes', description: null, editions: 10_000, publish_date: '2027-01-31',
    price: 0.1, currency: 'ETH', cover_image_url: 'https://example.com/a.png',
    archived: false, batch_mint_enabled: true, batch_max_tokens: 1, encryption_enabled: false, blockchain: 'BASE',
    remixable: true,
    data: { version: 'v2', steps: STEPS, variables: { word: 'sand' }, generations: { hashes: [], generations: 2 } },
  }),
  'POST /collections/:id/archive': () => ({ archived: false }),
  'POST /collections/:id/remix': ({ projectId }) => ({ project_id: projectId }),
  'POST /collections/:id/distribution': () => ({ hashes: 10 }),
  'PUT /collections/:id/variables': () => ({
    variables: [{
      name: 'word', type: 'weighted_pick', value_type: 'strings', lock_value: false, test_value: 'sand',
      value: { values: ['sand', 'sea'], display_names: ['Sand', 'Sea'], weights: [1, 2] },
    }],
  }),
  'POST /collections/:id/generations': () => ({
    variables: { word: 'sand' },
    generations: 2,
    workflow_priority: 50,
    tags: ['ink'],
    external_id: 'x',
    webhook_url: 'https://hooks.example.com/a',
    webhook_events: ['job_completed', 'image_generated'],
  }),
  'POST /projects': () => ({ name: 'Dunes' }),
  'POST /workflows': () => ({ ...buildWorkflow({ name: 'Dunes', data: DATA }), visibility: 'private' }),
  'PUT /workflows/:id': () => ({ ...buildWorkflow({ name: 'More dunes', data: DATA }), visibility: 'private' }),
  'POST /workflows/:id/test': () => ({
    variables: { word: 'sand' }, tags: ['ink'], external_id: 'x', webhook_url: 'https://hooks.example.com/a',
    webhook_events: ['job_failed'],
  }),
  'POST /workflows/:id/estimate': () => ({ variables: { word: 'sand' }, generations: 2 }),
  'POST /form-configs': () => ({ name: 'inks', options: [{ name: 'Ink', label: 'Ink', value: 'ink' }, { value: 1 }] }),
  'PUT /form-configs/:id': () => ({ name: 'oils', options: [{ value: true }] }),
  'PUT /secrets/:name': () => ({ value: 'sk-1' }),
  'POST /previews': () => ({
    code: 'x',
    hash: `oo${'1'.repeat(49)}`,
    variables: { word: 'sand' },
    width: 10,
    height: 10,
  }),
  'POST /api/generation/create': () => WHOLE_TWO_STEP,
  'POST /api/generate': () => WHOLE_TWO_STEP,
  'POST /api/v1/generations': () => ({
    prompt: 'a fox',
    mode: 'text_to_image',
    model: 'owner/name',
    aspectRatio: '1:1',
    parameters: { seed: 1 },
    tags: ['ink'],
    externalId: 'x',
    webhookUrl: 'https://hooks.example.com/a',
    webhookEvents: ['job_failed'],
  }),
  'PATCH /api/v1/generations/:id': () => ({ action: 'cancel' }),
  'POST /api-keys': () => ({ name: 'server', role: 'user' }),
  'POST /admin/credits/grant': ({ userId }) => ({ user_id: userId, amount: 0.5, reason: 'a gift' }),
  'PUT /admin/accounts/:userId': () => ({ plan: 'pro', price_id: 'price_1' }),
  ...OPERATOR_BODIES,
};

let api: TestApi;
let rows: Rows;
let drafts: DraftQueue;
let tenant: Tenant;
let workflowId: string;
let lastCall: Promise<unknown> = Promise.resolve();
/** How many rows there are, by table. */
let kept: Record<string, string>;

beforeAll(async () => {
  api = await startTestApi({ PLANS, LOG_LEVEL: 'silent' });
  rows = await Rows.of(api.database);
  tenant = await createTenant(api);
  workflowId = (await createWorkflow(api.database, await createUser(api.database), { data: DATA })).id;
  drafts = await createDraftQueue({ databaseUrl: api.databaseUrl });
  drafts.serve(async () => ({ ok: false, code: 'SKETCH_ERROR', message: 'none is drawn here', logs: [] }));
});
beforeEach(async () => {
  // A property whose time is over leaves its last request on the way: what that writes is none of the next one's.
  await lastCall;
  kept = await rows.counts();
});
afterAll(async () => {
  await drafts.close();
  await api.close();
});

const sound = (route: string): object => BODIES[route]?.(tenant, workflowId) ?? {};
const credentials = (route: string) =>
  ROUTES[route]!.gets.owner.startsWith('403') ? api.as(tenant.userId, 'admin') : api.as(tenant.userId);
const addressOf = (route: string, of = tenant): string => `${api.url}${pathOf(route, ROUTES[route]!.at?.(of))}`;

/** Never a failure of ours, always the envelope; and what is refused has left nothing behind. */
async function survives(route: string, url: string, request: Call): Promise<Answered> {
  const calling = call(url, { method: methodOf(route), ...request });
  lastCall = calling.catch(() => undefined);
  const answer = await calling;
  expect({ status: answer.status, isOurs: answer.status >= 500 }).toEqual({
    status: answer.status,
    isOurs: false,
  });
  expect(envelopeFaults(answer)).toEqual([]);
  const after = await rows.counts();
  if (answer.status >= 400) expect(after).toEqual(kept);
  kept = after;
  return answer;
}

const writing = Object.keys(ROUTES).filter((route) => !/^(GET|DELETE) |POST \/assets/.test(route));

it('is tried on every route that takes a body', () => {
  // What is signed is judged as bytes: its own test tries them.
  const bodies = writing.filter((route) => ROUTES[route]!.body && !ROUTES[route]!.isSigned);
  expect(Object.keys(BODIES).sort()).toEqual(bodies.sort());
});

/** Drafts are not drawn here. */
const answering = Object.keys(BODIES).filter((route) => route !== 'POST /previews');

it.each(answering)('%s takes its sound body, from which the others are made', async (route) => {
  const request = { method: methodOf(route), headers: credentials(route), body: sound(route) };
  // A job that one route has cancelled is none for the next.
  const target = route.includes('/queue/jobs/') ? await createTenant(api) : tenant;
  expect(await call(addressOf(route, target), request)).toMatchObject({ json: { success: true } });
});

describe.each(writing)('%s', (route) => {
  it('survives any body, and keeps nothing of one that it refuses', async () => {
    const runs = BODIES[route] ? RUNS : FEWER;
    await fc.assert(
      fc.asyncProperty(hostileBody(sound(route)), async (body) => {
        await survives(route, addressOf(route), { headers: credentials(route), body });
      }),
      {
        numRuns: runs,
        interruptAfterTimeLimit: 6_000,
        examples: bodiesWithNull(sound(route)).map((body) => [body]),
      },
    );
  });
});

/** Lists, and files with their signatures. */
const reading = [
  'GET /collections', 'GET /collections/:id/history', 'GET /collections/:id/metadata', 'GET /collections/:id/variables', 'GET /projects',
  'GET /projects/collections',
  'GET /jobs', 'GET /jobs/:id/history', 'GET /jobs/:id/generations', 'GET /jobs/:id/deliveries',
  'GET /workflows', 'GET /assets', 'GET /files/*', 'GET /credits/ledger', 'GET /api-keys',
  'GET /form-configs', 'GET /secrets',
];

describe.each(reading)('%s', (route) => {
  it('survives any query', async () => {
    await fc.assert(
      fc.asyncProperty(hostileQuery, async (query) => {
        await survives(route, `${addressOf(route)}?${query}`, { headers: credentials(route) });
      }),
      { numRuns: FEWER, interruptAfterTimeLimit: 5_000 },
    );
  });
});

it.each(['POST /projects', 'GET /jobs/:id', 'GET /files/*', 'GET /jobs/:id/events'])(
  '%s survives any header',
  async (route) => {
    const names = [
      'idempotency-key',
      'prefer',
      'authorization',
      'x-request-id',
      'accept',
      'range',
      'if-none-match',
      'if-range',
      'last-event-id',
      'x-forwarded-for',
      'origin',
    ];
    const headers = fc.dictionary(fc.constantFrom(...names), hostileText, { minKeys: 1, maxKeys: 3 });
    await fc.assert(
      fc.asyncProperty(headers, async (given) => {
        await survives(route, addressOf(route), {
          headers: { ...credentials(route), ...given },
          body: methodOf(route) === 'GET' ? undefined : sound(route),
        });
      }),
      { numRuns: FEWER, interruptAfterTimeLimit: 5_000 },
    );
  },
);

it('leaves no trace on the prototypes of this process', () => {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
});
