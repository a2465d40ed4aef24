import { createUser } from '../factories/job-submission.js';
import { startTestApi, type TestApi } from '../setup/api.js';
import { call, type Answered, type Call } from './calls.js';
import { envelopeFaults } from './envelope.js';

const ORIGIN = 'https://studio.example';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const PLANS = JSON.stringify({ free: { submitsPerMinute: 3, readsPerMinute: 5 } });

let api: TestApi;
let userId: string;

const ask = (path: string, { headers, ...request }: Call = {}): Promise<Answered> =>
  call(`${api.url}${path}`, { ...request, headers: { ...api.as(userId), ...headers } });
const rates = ({ headers }: Answered) =>
  ['limit', 'remaining', 'reset'].map((name) => Number(headers.get(`ratelimit-${name}`)));

beforeEach(async () => {
  userId = await createUser(api.database);
});

describe('every answer', () => {
  beforeAll(async () => {
    api = await startTestApi({ CORS_ORIGINS: `${ORIGIN},https://other.example`, LOG_LEVEL: 'silent' });
  });
  afterAll(() => api.close());

  /** One of each way in which an answer comes about. */
  const ANSWERS: Array<[what: string, status: number, ask: () => Promise<Answered>]> = [
    ['a success', 200, () => ask('/credits')],
    ['a page', 200, () => ask('/docs/')],
    ['an event stream', 200, () => ask('/events')],
    ['a refused caller', 401, () => ask('/credits', { headers: { authorization: 'Bearer x' } })],
    ['a refused caller of the queue board', 401, () => call(`${api.url}/admin/queues`)],
    ['an unknown route', 404, () => ask('/nothing')],
    ['an unknown id', 404, () => ask('/jobs/x')],
    ['an address that cannot be read', 404, () => ask('/jobs/%zz')],
    ['an address that is too long', 404, () => ask(`/jobs/${'x'.repeat(3_000)}`)],
    ['an unknown method', 404, () => ask('/jobs', { method: 'PATCH' })],
    ['a body that is no JSON', 400, () => ask('/projects', { method: 'POST', body: '{' })],
    [
      'a body that is too large',
      413,
      () => ask('/projects', { method: 'POST', body: 'x'.repeat(1024 ** 2 + 1) }),
    ],
    [
      'a body of another type',
      415,
      () => ask('/projects', { method: 'POST', body: 'x', headers: { 'content-type': 'text/x' } }),
    ],
  ];
  it.each(ANSWERS)(
    'carries a request id and, if it is no success, the envelope: %s',
    async (_what, status, request) => {
      const answer = await request();
      expect(answer.status).toBe(status);
      expect(answer.headers.get('x-request-id')).toMatch(UUID);
      if (status >= 400) expect(envelopeFaults(answer)).toEqual([]);
    },
  );

  it('carries the id that the client gave, unless that could do harm in a log', async () => {
    const idOf = async (id: string) =>
      (await ask('/credits', { headers: { 'x-request-id': id } })).headers.get('x-request-id');
    expect(await idOf('mine:1.a-b_c')).toBe('mine:1.a-b_c');
    for (const id of ['', 'a b', '"{}', 'x'.repeat(129), 'a;b']) expect(await idOf(id)).toMatch(UUID);
  });

  it.each([
    ['JSON', '/credits'],
    ['a page', '/docs/'],
    ['a failure', '/nothing'],
    ['an event stream', '/events'],
  ])('tells browsers to be careful: %s', async (_what, path) => {
    const { headers } = await ask(path);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('x-powered-by')).toBeNull();
  });

  it('is shown to pages of the configured origins only', async () => {
    const allowed = async (origin: string, request: Call = {}) => {
      const { headers } = await ask('/credits', { ...request, headers: { origin, ...request.headers } });
      return headers.get('access-control-allow-origin');
    };
    expect(await allowed(ORIGIN)).toBe(ORIGIN);
    expect(await allowed('https://evil.example')).not.toBe('https://evil.example');
    expect(await allowed('null')).not.toBe('null');
    const preflight: Call = { method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' } };
    expect(await allowed(ORIGIN, preflight)).toBe(ORIGIN);
    const { headers } = await ask('/credits', { headers: { origin: ORIGIN } });
    expect(headers.get('access-control-expose-headers')).toContain('X-Request-Id');
    expect(headers.get('access-control-allow-credentials')).toBeNull();
    expect(
      (await ask('/nothing', { headers: { origin: ORIGIN } })).headers.get('access-control-allow-origin'),
    ).toBe(ORIGIN);
  });
});

describe('without origins', () => {
  beforeAll(async () => {
    api = await startTestApi({ PLANS, LOG_LEVEL: 'silent' });
  });
  afterAll(() => api.close());

  it('no page of another origin sees an answer', async () => {
    const { headers } = await ask('/credits', { headers: { origin: ORIGIN } });
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  it('counts reads and submissions apart, and says how many are left', async () => {
    expect(rates(await ask('/credits'))).toEqual([5, 4, expect.any(Number)]);
    expect(rates(await ask('/projects'))).toEqual([5, 3, expect.any(Number)]);
    const submit = () => ask('/api/collections/generate', { method: 'POST', body: {} });
    expect(rates(await submit())).toEqual([3, 2, expect.any(Number)]);
    for (let i = 0; i < 3; i++) await ask('/credits');
    const refused = await ask('/credits');
    expect(refused).toMatchObject({
      status: 429,
      json: {
        code: 'RATE_LIMITED',
        error: expect.stringMatching(/^Rate limit exceeded\. Try again in \d+ seconds\.$/),
      },
    });
    expect(envelopeFaults(refused)).toEqual([]);
    const [limit, remaining, reset] = rates(refused);
    expect([limit, remaining]).toEqual([5, 0]);
    expect(reset).toBeGreaterThan(0);
    expect(Number(refused.headers.get('retry-after'))).toBe(reset);
    expect((await submit()).status).toBe(400);
    expect((await call(`${api.url}/health/live`)).status).toBe(200);
  });

  it('counts what is refused before a route is entered, too, and in the end says no more than that', async () => {
    const refusals: Array<() => Promise<Answered>> = [
      () => ask('/nothing'),
      () => ask('/jobs', { method: 'PATCH' }),
      () => ask('/projects', { method: 'POST', body: '{' }),
      () => ask('/projects', { method: 'POST', body: 'x'.repeat(1024 ** 2 + 1) }),
      () => ask('/projects', { method: 'POST', body: 'x', headers: { 'content-type': 'text/x' } }),
    ];
    const answers: Answered[] = [];
    for (const refusal of refusals) answers.push(await refusal());
    expect(answers.map(rates)).toEqual([4, 3, 2, 1, 0].map((left) => [5, left, expect.any(Number)]));
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 400, 413, 415]);
    const refused = await ask('/nothing');
    expect(refused).toMatchObject({ status: 429, json: { code: 'RATE_LIMITED' } });
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(envelopeFaults(refused)).toEqual([]);
    expect((await ask('/credits')).status).toBe(429);
  });

  it('answers 500 without a word of what is wrong', async () => {
    await api.database.query('alter table project rename to mislaid');
    const answer = await ask('/projects');
    await api.database.query('alter table mislaid rename to project');
    expect(answer.json).toEqual({
      success: false,
      data: null,
      error: 'Internal server error',
      code: 'INTERNAL_ERROR',
    });
    expect(answer.status).toBe(500);
    expect(answer.headers.get('x-request-id')).toMatch(UUID);
  });
});
