import { randomUUID } from 'node:crypto';
import { Secrets } from '#libs/secrets/secrets.js';
import { call } from '../../../test/api/calls.js';
import { startTestApi, type TestApi } from '../../../test/setup/api.js';
import { SecretsController } from './secrets.controller.js';

const MASTER_KEY = 'another master key of the tests, long enough';

describe(SecretsController.name, () => {
  let api: TestApi;
  let userId: string;
  let secrets: Secrets;

  beforeAll(async () => {
    api = await startTestApi({ PLATEN_MASTER_KEY: MASTER_KEY });
    secrets = new Secrets(api.database, MASTER_KEY);
  });
  afterAll(() => api.close());
  beforeEach(() => {
    userId = randomUUID();
  });

  const put = (name: string, value: unknown, headers = api.as(userId)) =>
    call(`${api.url}/secrets/${encodeURIComponent(name)}`, { method: 'PUT', headers, body: { value } });
  const remove = (name: string, headers = api.as(userId)) =>
    call(`${api.url}/secrets/${encodeURIComponent(name)}`, { method: 'DELETE', headers });
  const list = async (query = '', headers = api.as(userId)) =>
    (await call(`${api.url}/secrets${query}`, { headers })).json!.data;
  const itemsOf = ({ items }: Record<string, unknown>) => items as Array<Record<string, string>>;

  it('stores a secret, replaces and removes it, and tells its name and times only', async () => {
    const answer = await put('API_KEY', 'sk-first');
    expect(answer).toMatchObject({ status: 200, json: { data: { name: 'API_KEY' } } });
    expect(await secrets.reveal(userId, 'API_KEY')).toBe('sk-first');
    const replaced = await put('API_KEY', 'sk-second');
    expect(await secrets.reveal(userId, 'API_KEY')).toBe('sk-second');
    const items = itemsOf(await list());
    expect(items).toEqual([{ name: 'API_KEY', created_at: expect.any(String), updated_at: expect.any(String) }]);
    expect(items[0]!['updated_at']! > items[0]!['created_at']!).toBe(true);
    expect([answer.text, replaced.text, JSON.stringify(items)].join()).not.toMatch(/sk-/);
    expect((await remove('API_KEY')).status).toBe(200);
    expect(await secrets.reveal(userId, 'API_KEY')).toBeNull();
    expect(await remove('API_KEY')).toMatchObject({ status: 404, json: { code: 'NOT_FOUND' } });
  });

  it('keeps it sealed, for its own row alone', async () => {
    await put('API_KEY', 'sk-plain');
    const [row] = await api.database.query<{ whole: string; sealed: Buffer }>(
      'select secret::text as whole, sealed from secret where user_id = $1', [userId],
    );
    expect(row!.sealed.includes('sk-plain')).toBe(false);
    expect(row!.whole).not.toContain(Buffer.from('sk-plain').toString('hex'));
    const thief = randomUUID();
    await api.database.query('insert into secret (user_id, name, sealed) values ($1, $2, $3)', [thief, 'API_KEY', row!.sealed]);
    await expect(secrets.reveal(thief, 'API_KEY')).rejects.toThrow();
  });

  it('is each user’s own', async () => {
    await put('API_KEY', 'sk-mine');
    const other = api.as(randomUUID());
    expect((await remove('API_KEY', other)).status).toBe(404);
    expect((await list('', other)).items).toEqual([]);
    await put('API_KEY', 'sk-theirs', other);
    expect(await secrets.reveal(userId, 'API_KEY')).toBe('sk-mine');
  });

  it('lists page by page, by name', async () => {
    for (const name of ['b', 'A', 'c-1']) await put(name, 'x');
    const first = await list('?limit=2');
    expect(first.items).toMatchObject([{ name: 'A' }, { name: 'b' }]);
    expect(await list(`?limit=2&cursor=${first['next_cursor']}`)).toMatchObject({ items: [{ name: 'c-1' }] });
  });

  it('takes a hundred, and then only what replaces one', async () => {
    await api.database.query(
      `insert into secret (user_id, name, sealed) select $1, 'k' || n, ''::bytea from generate_series(1, 100) n`, [userId],
    );
    expect(await put('one-more', 'x')).toMatchObject({ status: 400, json: { details: [{ field: 'name' }] } });
    expect((await put('k7', 'x')).status).toBe(200);
  });

  it.each(['1a', '-a', 'a b', 'a.b', 'ä', 'x'.repeat(101), '{{a}}'])('refuses what is no name (%#)', async (name) => {
    expect(await put(name, 'x')).toMatchObject({ status: 400, json: { details: [{ field: 'name' }] } });
  });

  it.each(['', 'a\nb', 'ä', 'x'.repeat(4_097), 7, null])('refuses a value that is no header’s (%#)', async (value) => {
    const { status, json, text } = await put('API_KEY', value);
    expect({ status, field: (json!.details as Array<{ field: string }>)[0]!.field }).toEqual({ status: 400, field: 'value' });
    if (typeof value === 'string' && value !== '') expect(text).not.toContain(value);
  });
});
