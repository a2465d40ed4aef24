import { randomUUID } from 'node:crypto';
import { call } from '../../../test/api/calls.js';
import { startTestApi, type TestApi } from '../../../test/setup/api.js';
import { AdminController } from './admin.controller.js';
import { CreditsController } from './credits.controller.js';

const PLANS = JSON.stringify({ studio: { monthlyGenerations: 7, priceIds: ['price_studio'] } });

let api: TestApi;
let userId: string;

beforeAll(async () => {
  api = await startTestApi({ PLANS });
});
afterAll(() => api.close());
beforeEach(() => {
  userId = randomUUID();
});

const admin = () => api.as(randomUUID(), 'admin');
const read = async (path: string) => (await call(`${api.url}${path}`, { headers: api.as(userId) })).json!;
const grant = (body: object = {}, headers: Record<string, string> = admin()) =>
  call(`${api.url}/admin/credits/grant`, {
    method: 'POST', headers, body: { user_id: userId, amount: 1, reason: 'a gift', ...body },
  });
const setPlan = (body: unknown, id = userId, headers: Record<string, string> = admin()) =>
  call(`${api.url}/admin/accounts/${id}`, { method: 'PUT', headers, body });
const reconcile = async () =>
  (await call(`${api.url}/admin/credits/reconcile`, { method: 'POST', headers: admin() })).json!.data;
const entriesOf = async () => (await read('/credits/ledger')).data.items;

describe(CreditsController.name, () => {
  it('shows a new user nothing, of the free plan, until the month ends', async () => {
    const now = new Date();
    expect(await read('/credits')).toEqual({
      success: true,
      error: null,
      data: {
        balance: 0, held: 0, available: 0, plan: 'free',
        usage: {
          generations_this_month: 0,
          monthly_limit: 50,
          resets_at: new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1)).toISOString(),
        },
      },
    });
  });

  it('shows what is set aside, to the last millionth', async () => {
    await grant({ amount: 2.5 });
    await api.database.query('update account set held = 1 where user_id = $1', [userId]);
    const { data } = await read('/credits');
    expect(data).toMatchObject({ balance: 2.5, held: 0.000001, available: 2.499999 });
    await api.database.query('update account set held = 0 where user_id = $1', [userId]);
  });

  it('pages the ledger, newest first, each entry once and only one’s own', async () => {
    for (let amount = 1; amount <= 5; amount++) await grant({ amount, reason: `gift ${amount}` });
    await grant({ user_id: randomUUID() });
    const seen: Array<{ amount: number }> = [];
    let cursor: string | null = null;
    for (let page = 0; page === 0 || cursor; page++) {
      const { data } = await read(`/credits/ledger?limit=2${cursor ? `&cursor=${cursor}` : ''}`);
      seen.push(...(data.items as typeof seen));
      cursor = data.next_cursor;
      expect(page).toBeLessThan(3);
    }
    expect(seen.map(({ amount }) => amount)).toEqual([5, 4, 3, 2, 1]);
    expect(seen[0]).toEqual({
      id: expect.any(String), type: 'grant', amount: 5, balance_after: 15, held_after: 0,
      job_id: null, generation_id: null, description: 'gift 5', created_at: expect.stringMatching(/Z$/),
    });
  });

  const ANOTHER_LISTS = Buffer.from('["x"]').toString('base64url');
  it.each(['limit=0', 'limit=1001', 'cursor=nonsense', `cursor=${ANOTHER_LISTS}`])(
    'refuses a page of the ledger with %s, by the field',
    async (query) => {
      expect(await read(`/credits/ledger?${query}`)).toMatchObject({
        code: 'VALIDATION_ERROR', details: [{ field: query.split('=')[0] }],
      });
    },
  );
});

describe(AdminController.name, () => {
  it('gives credits to a user who has never been here', async () => {
    expect(await grant({ user_id: userId.toUpperCase(), amount: 0.000001 })).toMatchObject({
      status: 201,
      json: { data: { user_id: userId, amount: 0.000001, balance: 0.000001, held: 0, available: 0.000001 } },
    });
    expect(await entriesOf()).toMatchObject([{ type: 'grant', amount: 0.000001, description: 'a gift' }]);
  });

  it.each([0.1, 1.1, 0.000003, 123_456.789_012, 999_999_999.999_999, 1_000_000_000])(
    'gives exactly %d credits',
    async (amount) => {
      expect(await grant({ amount })).toMatchObject({ status: 201, json: { data: { balance: amount } } });
    },
  );

  it('gives once per Idempotency-Key, however often and fast it is told', async () => {
    const headers = { ...admin(), 'idempotency-key': 'payment-1' };
    const answers = await Promise.all(Array.from({ length: 5 }, () => grant({}, headers)));
    answers.push(await grant({}, headers));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers.filter((answer) => answer.headers.has('idempotency-replayed'))).toHaveLength(5);
    expect(await grant({ amount: 2 }, headers)).toMatchObject({
      status: 422, json: { code: 'IDEMPOTENCY_KEY_REUSED' },
    });
    expect(await entriesOf()).toHaveLength(1);
    await grant();
    expect((await read('/credits')).data).toMatchObject({ balance: 2 });
  });

  it('adds up grants that come at once', async () => {
    await Promise.all(Array.from({ length: 10 }, () => grant({ amount: 0.1 })));
    expect((await read('/credits')).data).toMatchObject({ balance: 1 });
    expect((await reconcile()) as unknown).toMatchObject({ drift: [] });
  });

  it.each([
    ['amount', { amount: 0 }],
    ['amount', { amount: -1 }],
    ['amount', { amount: -1.7e302 }],
    ['amount', { amount: 1.7e308 }],
    ['amount', { amount: '1' }],
    ['amount', { amount: 1.0000001 }],
    ['amount', { amount: 1e-7 }],
    ['amount', { amount: 1.5e-7 }],
    ['amount', { amount: 1_000_000_001 }],
    ['amount', { amount: null }],
    ['user_id', { user_id: 'me' }],
    ['reason', { reason: '' }],
    ['reason', { reason: 'a'.repeat(501) }],
    ['balance', { balance: 5 }],
  ])('refuses a grant by its %s: %j', async (field, body) => {
    const { status, json } = await grant(body);
    expect([status, json!.code]).toEqual([400, 'VALIDATION_ERROR']);
    const faults = json!.details as Array<{ field: string; message: string }>;
    expect([...new Set(faults.map((fault) => fault.field))]).toEqual([field]);
    expect(await entriesOf()).toEqual([]);
  });

  it('is for admins', async () => {
    const user = api.as(userId);
    const outcomes = [
      await grant({}, user),
      await call(`${api.url}/admin/credits/reconcile`, { method: 'POST', headers: user }),
      await setPlan({ plan: 'pro' }, userId, user),
    ];
    expect(outcomes.map(({ status }) => status)).toEqual([403, 403, 403]);
    expect((await grant({}, {})).status).toBe(401);
    expect((await read('/credits')).data).toMatchObject({ balance: 0, plan: 'free' });
  });

  it('finds the account whose books are wrong, and changes nothing', async () => {
    await grant({ amount: 3 });
    await api.database.query('update account set balance = balance + 1000000 where user_id = $1', [userId]);
    for (let i = 0; i < 2; i++) {
      expect((await reconcile()) as unknown).toEqual({
        accounts: expect.any(Number),
        entries: expect.any(Number),
        drift: [{ user_id: userId, rule: 'balance', expected: 3, actual: 4 }],
      });
    }
    await api.database.query('update account set balance = balance - 1000000 where user_id = $1', [userId]);
    expect((await reconcile()) as unknown).toMatchObject({ drift: [] });
  });

  describe('sets the plan', () => {
    const planOf = async () => (await read('/credits')).data as unknown as { plan: string; usage: object };

    it('by its name', async () => {
      expect((await planOf()).plan).toBe('free');
      const set = await setPlan({ plan: 'pro' });
      expect(set).toMatchObject({ status: 200, json: { data: { user_id: userId, plan: 'pro' } } });
      expect(await planOf()).toMatchObject({ plan: 'pro', usage: { monthly_limit: 2_000 } });
    });

    it('by a price id, which wins over the name until it is taken away', async () => {
      const set = await setPlan({ plan: 'pro', price_id: 'price_studio' });
      expect(set.json!.data).toMatchObject({ plan: 'studio' });
      expect(await planOf()).toMatchObject({ plan: 'studio', usage: { monthly_limit: 7 } });
      expect((await setPlan({ plan: 'pro' })).json!.data).toMatchObject({ plan: 'pro' });
    });

    it('to free where the price id is of no plan', async () => {
      const set = await setPlan({ price_id: 'price_of_another_shop' });
      expect(set.json!.data).toMatchObject({ plan: 'free' });
    });

    it.each([
      ['unknown', { plan: 'gold' }],
      ['inherited', { plan: 'constructor' }],
      ['missing', {}],
      ['empty', { plan: '' }],
    ])('not when it is %s', async (_what, body) => {
      expect(await setPlan(body)).toMatchObject({ status: 400, json: { details: [{ field: 'plan' }] } });
      expect((await planOf()).plan).toBe('free');
    });

    it('not of what is no user', async () => {
      expect((await setPlan({ plan: 'pro' }, 'me')).status).toBe(404);
    });
  });
});
