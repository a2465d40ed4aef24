import { createHash, randomUUID } from 'node:crypto';
import { call } from '../../../test/api/calls.js';
import { startTestApi, type TestApi } from '../../../test/setup/api.js';
import { ApiKeysController } from './api-keys.controller.js';

interface KeyRow {
  key: string;
  prefix: string;
  id: string;
}

describe(ApiKeysController.name, () => {
  let api: TestApi;
  let userId: string;

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.close());
  beforeEach(() => {
    userId = randomUUID();
  });

  const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
  const create = (body: unknown, headers: Record<string, string> = api.as(userId)) =>
    call(`${api.url}/api-keys`, { method: 'POST', headers, body });
  const make = async (name = 'server', headers?: Record<string, string>, role?: string) =>
    (await create({ name, role }, headers)).json?.data as unknown as KeyRow;
  const list = async (query = '', headers = api.as(userId)) =>
    (await call(`${api.url}/api-keys${query}`, { headers })).json!.data;
  const revoke = (id: string, headers = api.as(userId)) =>
    call(`${api.url}/api-keys/${id}`, { method: 'DELETE', headers });
  const use = (key: string, path = '/credits') => call(`${api.url}${path}`, { headers: bearer(key) });

  it('shows a key once, when it is made, and knows it by its first characters', async () => {
    const created = await create({ name: 'server' });
    expect(created).toMatchObject({
      status: 201,
      json: {
        data: {
          name: 'server', role: 'user', last_used_at: null, key: expect.stringMatching(/^plt_\w{43}$/),
        },
      },
    });
    const { key, ...view } = created.json!.data as unknown as KeyRow;
    expect(key.startsWith(view.prefix)).toBe(true);
    expect((await list()).items).toEqual([view]);
    expect(view.prefix).toHaveLength(12);
  });

  it('stores a digest of the key, and its text nowhere', async () => {
    const { key, id } = await make();
    const [row] = await api.database.query<{ digest: Buffer; whole: string }>(
      'select digest, api_key::text as whole from api_key where id = $1',
      [id],
    );
    expect(row!.digest).toEqual(createHash('sha256').update(key).digest());
    expect(row!.whole).not.toContain(key.slice(12));
  });

  it('makes another key each time, also under an Idempotency-Key', async () => {
    const headers = { ...api.as(userId), 'idempotency-key': 'once' };
    const [first, second] = [await make('server', headers), await make('server', headers)];
    expect(second.key).not.toBe(first.key);
    const stored = await api.database.query('select 1 from idempotency_key where user_id = $1', [userId]);
    expect(stored).toEqual([]);
  });

  it('lets a server in as its user, and notes when', async () => {
    const { key } = await make('project maker');
    const body = { name: 'By key' };
    const made = await call(`${api.url}/projects`, { method: 'POST', headers: bearer(key), body });
    expect(made.status).toBe(201);
    const projects = await call(`${api.url}/projects`, { headers: api.as(userId) });
    expect(projects.json!.data.items).toMatchObject([body]);
    expect((await list()).items).toMatchObject([{ last_used_at: expect.stringMatching(/^\d{4}-/) }]);
  });

  it('ends a key at once, and only that one', async () => {
    const [ended, kept] = [await make('ended'), await make('kept')];
    expect((await use(ended.key)).status).toBe(200);
    expect((await revoke(ended.id)).status).toBe(200);
    expect(await use(ended.key)).toMatchObject({
      status: 401, json: { code: 'UNAUTHENTICATED', error: 'Invalid or revoked API key' },
    });
    expect((await use(kept.key)).status).toBe(200);
    expect((await list()).items).toMatchObject([{ name: 'kept' }]);
    expect((await revoke(ended.id)).status).toBe(404);
  });

  it("leaves another's key alone", async () => {
    const { id, key } = await make();
    expect((await revoke(id, api.as(randomUUID()))).status).toBe(404);
    expect((await revoke(id, api.as(randomUUID(), 'admin'))).status).toBe(404);
    expect((await use(key)).status).toBe(200);
  });

  it.each([
    ['a part of a key', (key: string) => key.slice(0, -1)],
    ['a longer one', (key: string) => `${key}0`],
    ['its prefix', (key: string) => key.slice(0, 12)],
    ['another of the same form', (key: string) => `plt_${key.slice(4).split('').reverse().join('')}`],
    ['the mark of keys alone', () => 'plt_'],
  ])('does not take %s', async (_what, differ) => {
    const { key } = await make();
    expect((await use(differ(key))).status).toBe(401);
  });

  it('gives keys of admins to admins only', async () => {
    expect(await create({ name: 'root', role: 'admin' })).toMatchObject({
      status: 403, json: { code: 'FORBIDDEN' },
    });
    const own = await make();
    expect((await create({ name: 'root', role: 'admin' }, bearer(own.key))).status).toBe(403);
    expect((await list()).items).toMatchObject([{ name: 'server' }]);

    const admin = await make('operator', api.as(userId, 'admin'), 'admin');
    const reconcile = (key: string) =>
      call(`${api.url}/admin/credits/reconcile`, { method: 'POST', headers: bearer(key) });
    expect((await reconcile(admin.key)).status).toBe(200);
    expect((await reconcile(own.key)).status).toBe(403);
  });

  it("gives an admin's key the rights of a user unless it is asked for more", async () => {
    const { key } = await make('plain', api.as(userId, 'admin'));
    const answer = await call(`${api.url}/admin/credits/reconcile`, { method: 'POST', headers: bearer(key) });
    expect(answer.status).toBe(403);
  });

  it('pages the newest first', async () => {
    for (const name of ['first', 'second', 'third']) await make(name);
    const page = await list('?limit=2');
    expect(page.items).toMatchObject([{ name: 'third' }, { name: 'second' }]);
    const rest = await list(`?limit=2&cursor=${page.next_cursor}`);
    expect(rest).toMatchObject({ items: [{ name: 'first' }], next_cursor: null });
  });
});
