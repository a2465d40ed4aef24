import { userOf } from '../api/callers.js';
import { BOARD, isPage, methodOf, pathOf, ROUTES } from '../api/routes.js';
import { startTestApi, type TestApi } from '../setup/api.js';
import { routesMadeBy } from '../setup/live-routes.js';

/** What needs no token, as the documentation promises it. All else is closed. */
const OPEN = [
  'GET /assets/:id',
  'GET /assets/:id/provenance',
  'GET /collections',
  'GET /collections/:id/contract-metadata',
  'GET /collections/:id/metadata',
  'GET /collections/:id/public',
  'GET /files/*',
  'GET /health/live',
  'GET /health/ready',
  'GET /openapi.json',
  'GET /workflows',
  'GET /workflows/:id',
  'GET /workflows/:id/models',
  'GET /workflows/name/:name',
  'POST /api/v1/webhooks/replicate',
  'POST /webhooks/steps/:token',
];
type Operation = { 'x-policy'?: string; security: object[] };

describe('the routes of the API', () => {
  let api: TestApi;
  let live: string[];
  let documented: Map<string, Operation>;

  beforeAll(async () => {
    live = await routesMadeBy(async () => (api = await startTestApi()));
    const document = (await (await fetch(`${api.url}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, Operation>>;
    };
    documented = new Map(
      Object.entries(document.paths).flatMap(([path, operations]) =>
        Object.entries(operations).map(([method, operation]) => [templateOf(method, path), operation]),
      ),
    );
  });
  afterAll(() => api.close());

  it('are those of the table of who gets what, no more and no fewer', () => {
    expect(live.filter((route) => !isOfBoard(route))).toEqual(Object.keys(ROUTES).sort());
  });

  it('include a queue board, whose routes all lie below one path', () => {
    expect(live.filter(isOfBoard).length).toBeGreaterThan(5);
  });

  it('are all documented', () => {
    const expected = Object.keys(ROUTES).filter((route) => !isPage(route));
    expect([...documented.keys()].sort()).toEqual(expected.sort());
  });

  it('declare in the documentation who may call them', () => {
    for (const [route, { 'x-policy': policy, security }] of documented) {
      const isOpen = policy === 'public';
      expect({
        route,
        policy,
        isOpen: security.some((scheme) => Object.keys(scheme).length === 0),
      }).toEqual({
        route,
        policy: expect.stringMatching(/^(public|user|admin|operator)$/),
        isOpen,
      });
      expect({ route, isAdmin: policy === 'admin' }).toEqual({
        route,
        isAdmin: userOf(route) === 'admin',
      });
    }
  });

  it('are closed but for the open ones', () => {
    const open = Object.entries(ROUTES).filter(([, { gets }]) => gets.anonymous !== '401 UNAUTHENTICATED');
    expect(
      open
        .map(([route]) => route)
        .filter((route) => !/^GET \/(docs|studio)/.test(route))
        .sort(),
    ).toEqual(OPEN);
  });

  it.each(['anonymous', 'user'])('of the queue board refuse %s callers', async (who) => {
    const headers = who === 'user' ? api.as('0193fd6c-0000-7000-8000-000000000001') : {};
    for (const route of live.filter(isOfBoard)) {
      const parameters = {
        queueName: 'platen-default',
        jobId: '1',
        '*': 'favicon.ico',
        queueStatus: 'failed',
      };
      const response = await fetch(`${api.url}${pathOf(route, parameters)}`, {
        method: methodOf(route),
        headers,
      });
      expect({ route, status: response.status }).toEqual({ route, status: who === 'user' ? 403 : 401 });
    }
  });

  it('cannot be reached by another spelling', async () => {
    const admin = [
      '//admin/queues',
      '/ADMIN/queues',
      '/admin%2fqueues',
      '/admin/./queues',
      '/admin/queues/',
      '/admin/queues//static/x',
    ];
    const spellings = [
      ...admin,
      '/Credits',
      '/credits/',
      '//credits',
      '/admin/credits/../../credits',
      '/jobs/',
      '/jobs;x',
    ];
    for (const path of spellings) {
      const { status } = await fetch(`${api.url}${path}`);
      expect({ path, isRefused: [401, 404].includes(status) }).toEqual({ path, isRefused: true });
    }
  });
});

const isOfBoard = (route: string): boolean => /^\w+ (.+)$/.exec(route)![1]!.startsWith(BOARD);

/** As the router spells it: `{id}` is `:id`, and the path of a file is the rest of it. */
const templateOf = (method: string, path: string): string =>
  `${method.toUpperCase()} ${path.replace('/files/{path}', '/files/*').replace(/\{(\w+)\}/g, ':$1')}`;
