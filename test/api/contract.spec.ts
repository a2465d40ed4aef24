import { randomUUID } from 'node:crypto';
import { createUser } from '../factories/job-submission.js';
import { startBuiltApi, type BuiltApi } from './built-api.js';
import { credentialsOf, userOf } from './callers.js';
import { call, outcomeOf, type Answered, type Call } from './calls.js';
import { Contract } from './contract.js';
import { createHindrances, NARROW_PLANS, SMALL_ASSETS, type Hindrances } from './hindrances.js';
import { WEBHOOK_SECRET } from './image-refusals.js';
import { filesOf, REFUSALS } from './refusals.js';
import { CALLERS, isPage, methodOf, pathOf, ROUTES, type CallerName } from './routes.js';
import { createTenant, type Tenant } from './tenant.js';

const documented = Object.keys(ROUTES).filter((route) => !isPage(route));
/** One takes a form, and to the other the table sends what it refuses. */
const NO_SOUND_JSON = ['POST /assets', 'POST /previews'];
/** Where time or another process decides. */
const UNSEEN = / (429 RATE_LIMITED|409 IDEMPOTENCY_IN_PROGRESS)$/;
const writing = documented.filter((route) => methodOf(route) !== 'GET');
/** Asked for by machines, every few seconds: not counted. */
const isUncounted = (route: string) => /^GET \/(health\/|metrics$)/.test(route);

let api: BuiltApi;
let contract: Contract;
let tenant: Tenant;
let hindrances: Hindrances;
let other: string;
let admin: string;

beforeAll(async () => {
  api = await startBuiltApi({
    PLANS: NARROW_PLANS, MAX_ASSET_BYTES: SMALL_ASSETS, REPLICATE_WEBHOOK_SECRET: WEBHOOK_SECRET, V1_WAIT_SECONDS: '0',
    RERENDER_WAIT_SECONDS: '0',
  });
  contract = await Contract.of(api.url);
  [tenant, other, admin] = [await createTenant(api), await createUser(api.database, 10), randomUUID()];
  hindrances = await createHindrances(api, tenant);
}, 120_000);
afterAll(() => api?.close());

const credentials = (caller: CallerName, { userId }: Tenant) =>
  credentialsOf(api, caller, { owner: userId, other, admin });

/** Sends it to the route, and holds the answer against the documentation. */
async function answerOf(route: string, path: string, request: Call): Promise<Answered> {
  const answer = await call(`${api.url}${path}`, { method: methodOf(route), ...request });
  expect({ route, faults: contract.faultsOf(route, answer) }).toEqual({ route, faults: [] });
  expect(answer.headers.get('x-request-id')).toEqual(expect.any(String));
  return answer;
}

it('is OpenAPI 3.1, with one way to succeed for each route', () => {
  expect(contract.document.openapi).toBe('3.1.0');
  for (const route of documented) {
    const successes = contract.promisesOf(route).filter((promise) => / 20[012]$/.test(promise));
    expect({ route, successes: successes.length }).toEqual({ route, successes: 1 });
  }
});

describe.each(documented)('%s', (route) => {
  it('answers every caller as documented, and counts the request', async () => {
    const theirs = methodOf(route) === 'GET' ? tenant : await createTenant(api);
    const { at, body } = ROUTES[route]!;
    for (const caller of CALLERS) {
      const answer = await answerOf(route, pathOf(route, at?.(theirs)), {
        headers: credentials(caller, theirs),
        body: body?.(theirs),
      });
      const counted = ['limit', 'remaining', 'reset'].map((name) =>
        answer.headers.get(`ratelimit-${name}`),
      );
      expect(counted).toEqual(Array(3).fill(isUncounted(route) ? null : expect.stringMatching(/^\d+$/)));
    }
    expect([...contract.seen]).toEqual(expect.arrayContaining(successesOf(route)));
  });

  it('documents what it says to an address that cannot be', async () => {
    const headers = credentials(userOf(route), tenant);
    const nul = await answerOf(route, `${pathOf(route, ROUTES[route]!.at?.(tenant))}?x=%00`, { headers });
    expect(nul.json).toMatchObject({ code: 'VALIDATION_ERROR', details: [{ field: 'x' }] });
    if (!route.includes(':')) return;
    for (const id of ['%00', '%zz', 'x'.repeat(600)]) {
      const path = route.split(' ')[1]!.replace(/:\w+/g, id);
      expect(outcomeOf(await answerOf(route, path, { headers }))).toBe('404 NOT_FOUND');
    }
  });
});

const successesOf = (route: string): string[] =>
  Object.values(ROUTES[route]!.gets)
    .filter((outcome) => outcome.startsWith('2'))
    .map((status) => `${route} ${status}`);

describe.each(writing)('%s', (route) => {
  it('documents what it says to a body that cannot be read', async () => {
    const path = pathOf(route, ROUTES[route]!.at?.(tenant));
    const headers = credentials(userOf(route), tenant);
    const bodies: Array<[body: string, type: string, outcome: string]> = [
      ['{"title": ', 'application/json', ROUTES[route]!.isSigned ? '401 INVALID_SIGNATURE' : '400 VALIDATION_ERROR'],
      ['<title/>', 'text/xml', '415 UNSUPPORTED_MEDIA_TYPE'],
      [`{"title": "${'x'.repeat(1024 ** 2)}"}`, 'application/json', '413 PAYLOAD_TOO_LARGE'],
    ];
    for (const [body, type, outcome] of bodies) {
      const answer = await answerOf(route, path, { headers: { ...headers, 'content-type': type }, body });
      expect(outcomeOf(answer)).toBe(outcome);
    }
  });
});

/** Routes that take an `Idempotency-Key`, and what makes their body another one. */
const KEYED: Array<[route: string, second: { differs: object }]> = [
  ['POST /api/collections/generate', { differs: { title: 'Other' } }],
  ['POST /projects/collections', { differs: { title: 'Other' } }],
  ['POST /collections/:id/generations', { differs: { tags: ['other'] } }],
  ['POST /collections/:id/remix', { differs: { project_id: randomUUID() } }],
  ['POST /projects', { differs: { name: 'Other' } }],
  ['POST /jobs/:id/resume', { differs: {} }],
  ['POST /jobs/:id/generations/:index/resume', { differs: {} }],
  ['POST /workflows', { differs: { label: 'Other' } }],
  ['POST /workflows/:id/test', { differs: { variables: { word: 'other' } } }],
  ['POST /form-configs', { differs: { options: [{ value: 'other' }] } }],
  ['POST /assets/:id/rerender', { differs: { x: 1 } }],
  ['POST /assets', { differs: filesOf('text/plain', 'other') }],
  ['POST /api/generation/create', { differs: { style: 'artistic' } }],
  ['POST /api/generate', { differs: { style: 'artistic' } }],
  ['POST /api/v1/generations', { differs: { prompt: 'a cat' } }],
  ['POST /admin/credits/grant', { differs: { reason: 'another gift' } }],
];

describe('a refusal', () => {
  it.each(REFUSALS.map((refusal) => [refusal.outcome, refusal.route, refusal] as const))(
    '%s of %s is documented',
    async (outcome, route, { as, at, query, body, headers: more }) => {
      const path = `${pathOf(route, at?.(hindrances))}${query?.(hindrances) ?? ''}`;
      const bearer = api.as(as?.(hindrances) ?? tenant.userId, userOf(route) === 'admin' ? 'admin' : 'user');
      const headers = { ...bearer, ...more?.() };
      expect(outcomeOf(await answerOf(route, path, { headers, body: body?.(hindrances) }))).toBe(outcome);
    },
  );

  it.each(KEYED)(
    'of a key that %s was sent with another body is documented',
    async (route, { differs }) => {
      const theirs = await createTenant(api);
      const path = pathOf(route, ROUTES[route]!.at?.(theirs));
      const headers = { ...credentials(userOf(route), theirs), 'idempotency-key': theirs.canary };
      const first = ROUTES[route]!.body?.(theirs);
      expect((await answerOf(route, path, { headers, body: first })).status).toBeLessThan(300);
      const body = differs instanceof FormData ? differs : { ...Object(first), ...differs };
      expect(outcomeOf(await answerOf(route, path, { headers, body }))).toBe('422 IDEMPOTENCY_KEY_REUSED');
    },
  );
});

describe('a body', () => {
  const takingJson = writing.filter((route) => ROUTES[route]!.body && !NO_SOUND_JSON.includes(route));

  it.each(takingJson)('that %s takes is documented', (route) => {
    expect(contract.bodyFaults(route, ROUTES[route]!.body!(tenant))).toEqual([]);
  });
});

it('documents no refusal that was not seen', () => {
  const promised = documented
    .flatMap((route) => contract.promisesOf(route))
    .filter((promise) => / 4\d\d /.test(promise));
  const unseen = promised.filter((promise) => !contract.seen.has(promise) && !UNSEEN.test(promise));
  expect(unseen).toEqual([]);
});
