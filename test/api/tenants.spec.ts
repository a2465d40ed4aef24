import { createUser } from '../factories/job-submission.js';
import { startTestApi, type TestApi } from '../setup/api.js';
import { credentialsOf, userOf } from './callers.js';
import { call, outcomeOf, type Answered } from './calls.js';
import { CALLERS, methodOf, pathOf, ROUTES, type CallerName, type RouteCase } from './routes.js';
import { Rows } from './rows.js';
import { createTenant, leaksOf, type Tenant } from './tenant.js';

/** Ids as clients get them wrong. */
const NO_IDS = [
  'nothing',
  '-1',
  '1e3',
  '1.5',
  'null',
  'undefined',
  '[object Object]',
  '\u0661',
  '💩',
  `' or 1=1 --`,
  '/',
  '%',
  '99999999999999999999',
  '00000000-0000-0000-0000-00000000000g',
  '{0193fd6c-0000-7000-8000-000000000001}',
  '\0',
  'a\0',
  'x'.repeat(400),
  'x'.repeat(4_000),
];

/** What everyone can pay, as often as it is asked for. */
const PLANS = JSON.stringify({ free: { maxInFlight: 1_000, monthlyGenerations: 1_000 } });
const MODEL_PRICES = JSON.stringify({ 'owner/name': 0, 'google/nano-banana': 0 });

const NOT_FOUND = { success: false, data: null, error: expect.any(String) };

let api: TestApi;
let rows: Rows;
let latest: Tenant | undefined;
let other: string;
let admin: string;

beforeAll(async () => {
  api = await startTestApi({ PLANS, MODEL_PRICES });
  rows = await Rows.of(api.database);
  [other, admin] = [await createUser(api.database, 10), await createUser(api.database)];
});
afterAll(() => api.close());

/** A new one for each route that changes something. */
async function tenantFor(route: string): Promise<Tenant> {
  latest = latest && methodOf(route) === 'GET' ? latest : await createTenant(api);
  return latest;
}

const credentials = (caller: CallerName, { userId }: Tenant) =>
  credentialsOf(api, caller, { owner: userId, other, admin });

function ask(
  route: string,
  caller: CallerName,
  tenant: Tenant,
  method = methodOf(route),
): Promise<Answered> {
  const { at, body } = ROUTES[route]!;
  const url = `${api.url}${pathOf(route, at?.(tenant))}`;
  return call(url, { method, headers: credentials(caller, tenant), body: body?.(tenant) });
}

/** Whether an admin gets the owner's own thing, not one of the admin's. */
const isOversight = ({ gets, at }: RouteCase, route: string): boolean =>
  gets.admin.startsWith('2') && (at !== undefined || route.includes(' /admin/'));

describe.each(Object.entries(ROUTES))('%s', (route, routeCase) => {
  it('gives each caller what is theirs; the owner’s nobody else sees or changes', async () => {
    const tenant = await tenantFor(route);
    for (const caller of CALLERS) {
      const expected = routeCase.gets[caller];
      const isRefused = !expected.startsWith('2');
      const mayAct = caller === 'owner' || (caller === 'admin' && isOversight(routeCase, route));
      // Whoever is refused changes nothing at all, the others nothing of the owner's.
      const watched = isRefused ? undefined : tenant.userId;
      const before = await rows.digests(watched);
      const answer = await ask(route, caller, tenant);
      expect({ caller, outcome: outcomeOf(answer) }).toEqual({ caller, outcome: expected });
      if (!mayAct) expect({ caller, leaks: leaksOf(tenant, answer) }).toEqual({ caller, leaks: [] });
      if (!mayAct || isRefused) {
        expect({ caller, rows: await rows.digests(watched) }).toEqual({ caller, rows: before });
      }
      if (caller === 'owner' && routeCase.isTelling)
        expect(leaksOf(tenant, answer)).toContain(tenant.canary);
    }
  });
});

describe.each(Object.keys(ROUTES).filter((route) => methodOf(route) === 'GET'))('%s', (route) => {
  it('tells no more to HEAD', async () => {
    const tenant = await tenantFor(route);
    for (const caller of ['anonymous', 'other'] as const) {
      const expected = Number(ROUTES[route]!.gets[caller].split(' ')[0]);
      const answer = await ask(route, caller, tenant, 'HEAD');
      expect({ caller, status: answer.status, text: answer.text }).toEqual({
        caller,
        status: expected,
        text: '',
      });
      expect(leaksOf(tenant, answer)).toEqual([]);
    }
  });
});

const byId = Object.keys(ROUTES).filter((route) => route.includes(':') && !ROUTES[route]!.isNaming);

describe.each(byId)('%s', (route) => {
  it('answers 404 to what is no id', async () => {
    const tenant = await tenantFor('GET');
    const { at, body } = ROUTES[route]!;
    const headers = credentials(userOf(route), tenant);
    const before = await rows.digests();
    for (const name of route.match(/(?<=:)\w+/g)!) {
      for (const id of NO_IDS) {
        const path = pathOf(route, { ...at!(tenant), [name]: id });
        const request = { method: methodOf(route), headers, body: body?.(tenant) };
        const answer = await call(`${api.url}${path}`, request);
        expect({ id: id.slice(0, 50), status: answer.status, json: answer.json }).toEqual({
          id: id.slice(0, 50),
          status: 404,
          json: { ...NOT_FOUND, code: expect.stringMatching(/NOT_FOUND$/) },
        });
      }
    }
    expect(await rows.digests()).toEqual(before);
  });
});
