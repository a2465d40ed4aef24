import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { call, outcomeOf } from '../../../test/api/calls.js';
import { startTestApi, type TestApi } from '../../../test/setup/api.js';
import { testRedisUrl } from '../../../test/setup/redis.js';

/** Nothing listens there. */
const DEAD_REDIS = 'redis://127.0.0.1:1';
const redisUrl = testRedisUrl();

let api: TestApi;

const get = (path: string, headers: Record<string, string> = {}) => call(`${api.url}${path}`, { headers });

describe('health', () => {
  describe('with everything there', () => {
    beforeAll(async () => {
      api = await startTestApi({ LOG_LEVEL: 'silent', ...(redisUrl && { REDIS_URL: redisUrl }) });
    });
    afterAll(() => api.close());

    it('is live and ready', async () => {
      expect((await get('/health/live')).json?.data).toEqual({ status: 'ok' });
      expect((await get('/health/ready')).json?.data).toEqual({ status: 'ready', degraded: [] });
    });

    it('is told to whoever asks, as often as they ask', async () => {
      const answer = await get('/health/ready', { authorization: 'Bearer nonsense' });
      expect(answer.status).toBe(200);
      expect(answer.headers.has('ratelimit-limit')).toBe(false);
    });

    it('is not ready while a migration is missing, and live all the same', async () => {
      const [last] = await api.database.query<{ id: number; name: string; timestamp: string }>(
        'delete from migration where id = (select max(id) from migration) returning *',
      );
      const answers = [await get('/health/ready'), await get('/health/live')];
      await api.database.query('insert into migration (id, name, timestamp) values ($1, $2, $3)', [
        last!.id, last!.name, last!.timestamp,
      ]);
      expect(answers.map(outcomeOf)).toEqual(['503 SERVICE_UNAVAILABLE', '200']);
      expect(answers[0]!.text).not.toContain(last!.name);
      expect((await get('/health/ready')).status).toBe(200);
    });

    it('is not ready while files cannot be stored', async () => {
      const storage = join(api.home, 'storage');
      await rm(storage, { recursive: true, force: true });
      await writeFile(storage, 'in the way');
      const away = await get('/health/ready');
      await rm(storage);
      expect(outcomeOf(away)).toBe('503 SERVICE_UNAVAILABLE');
      expect(away.text).not.toContain(api.home);
    });
  });

  it('is ready without Redis, and says what is away', async () => {
    api = await startTestApi({ LOG_LEVEL: 'silent', REDIS_URL: DEAD_REDIS });
    try {
      expect((await get('/health/ready')).json?.data).toEqual({ status: 'ready', degraded: ['redis'] });
    } finally {
      await api.close();
    }
  });
});

describe('pages of operators', () => {
  const ROUTE = '/admin/queues';
  const basic = (password: string) => ({
    authorization: `Basic ${Buffer.from(`me:${password}`).toString('base64')}`,
  });
  const tokenOf = (role: 'user' | 'admin') => api.as(randomUUID(), role).authorization.replace('Bearer ', '');
  const asUser = () => api.as(randomUUID());
  const asAdmin = () => api.as(randomUUID(), 'admin');
  /** A file of the board that its page asks for. */
  let staticFile: string;

  beforeAll(async () => {
    api = await startTestApi();
    const page = await get(ROUTE, asAdmin());
    staticFile = /static\/[^"']+\.js/.exec(page.text)![0];
  });
  afterAll(() => api.close());

  it.each([
    ['nobody', {}, 401],
    ['a user by Bearer', () => asUser(), 403],
    ['an admin by Bearer', () => asAdmin(), 200],
    ['a user by Basic', () => basic(tokenOf('user')), 403],
    ['an admin by Basic', () => basic(tokenOf('admin')), 200],
    ['a wrong password', () => basic('admin'), 401],
    ['an unknown API key', () => basic('plt_nonsense'), 401],
    ['a Basic without a password', () => ({ authorization: 'Basic' }), 401],
  ])('show queues, their data and their files to %s as they may see them', async (_who, headers, status) => {
    const sent = typeof headers === 'function' ? headers() : headers;
    const pages = ['', '/', '/api/queues', `/${staticFile}`, '/queue/any'].map((page) => `${ROUTE}${page}`);
    for (const path of pages) expect([path, (await get(path, sent)).status]).toEqual([path, status]);
  });

  it('ask a browser for a password, and an admin who lacks one not', async () => {
    expect((await get(ROUTE)).headers.get('www-authenticate')).toBe('Basic realm="Platen", charset="UTF-8"');
    expect((await get(ROUTE, asUser())).headers.has('www-authenticate')).toBe(false);
    expect(outcomeOf(await get(ROUTE))).toBe('401 UNAUTHENTICATED');
    expect(outcomeOf(await get(ROUTE, asUser()))).toBe('403 FORBIDDEN');
  });

  it.each([
    '//admin/queues', '/admin//queues', '/admin%2fqueues', '/%61dmin/queues', '/ADMIN/queues',
    '/admin/queues;a=b', '/admin/queues//api/queues', '/admin/queues/%2e%2e/queues',
    '/admin/queues/api%2fqueues', '/x/..%2fadmin/queues', '/admin/queues/?x=1', '/admin/queues/static/..%2f..%2fapi/queues',
  ])('are hidden however the path is spelled: %s', async (path) => {
    for (const headers of [{}, asUser()]) {
      const answer = await get(path, headers);
      expect([401, 403, 404]).toContain(answer.status);
      expect(answer.json).toMatchObject({ success: false, data: null });
    }
  });

  it('list the queues, and let nobody change them', async () => {
    const { queues } = JSON.parse((await get(`${ROUTE}/api/queues`, asAdmin())).text) as {
      queues: Array<{ name: string; readOnlyMode: boolean }>;
    };
    expect(queues.length).toBeGreaterThan(0);
    for (const { name, readOnlyMode } of queues) {
      expect(readOnlyMode).toBe(true);
      const url = `${api.url}${ROUTE}/api/queues/${name}/pause`;
      const pause = (headers: Record<string, string>) => call(url, { method: 'PUT', headers });
      expect((await pause({})).status).toBe(401);
      expect((await pause(asAdmin())).status).toBe(405);
    }
  });

  it('describe the API to everyone', async () => {
    const { text, status } = await get('/openapi.json');
    expect([status, JSON.parse(text)]).toMatchObject([
      200, { openapi: expect.stringMatching(/^3\.1\./), paths: { '/health/live': { get: {} } } },
    ]);
    const docs = await get('/docs');
    expect(docs.status).toBe(200);
    expect(docs.headers.get('content-type')).toMatch(/^text\/html/);
  });
});
