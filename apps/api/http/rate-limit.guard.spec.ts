import { randomBytes, randomUUID } from 'node:crypto';
import { call, type Answered } from '../../../test/api/calls.js';
import { startTestApi, type TestApi } from '../../../test/setup/api.js';
import { testRedisUrl } from '../../../test/setup/redis.js';
import { RateLimitGuard } from './rate-limit.guard.js';

const READS = 4;
const PLANS = JSON.stringify({
  free: { readsPerMinute: READS },
  wide: { readsPerMinute: 9, priceIds: ['price_wide'] },
});
/** Nothing listens there. */
const DEAD_REDIS = 'redis://127.0.0.1:1';

const redisUrl = testRedisUrl();
const STORES: Array<[string, Record<string, string>]> = [
  ['Postgres', {}],
  ...(redisUrl ? [['Redis', { REDIS_URL: redisUrl }] as [string, Record<string, string>]] : []),
];

const statusOf = ({ status }: Answered) => status;
const leftOf = ({ headers }: Answered) =>
  ['limit', 'remaining'].map((name) => Number(headers.get(`ratelimit-${name}`)));
function expectSeconds(header: string | null): void {
  expect(Number(header)).toBeGreaterThan(0);
  expect(Number(header)).toBeLessThanOrEqual(60);
}

/** One that no other test comes from: tests share Redis. */
const someAddress = () => `2001:db8:${randomBytes(12).toString('hex').match(/.{4}/g)!.join(':')}`;

describe.each(STORES)(`${RateLimitGuard.name}, counting in %s`, (_store, variables) => {
  let apis: [TestApi, TestApi];

  beforeAll(async () => {
    const first = await startTestApi({ ...variables, PLANS });
    apis = [first, await first.another()];
  });
  afterAll(async () => {
    for (const api of [...apis].reverse()) await api.close();
  });

  /** By turns at both processes. */
  const ask = async (count: number, headers: Record<string, string>, path = '/workflows') => {
    const answers: Answered[] = [];
    for (let i = 0; i < count; i++) answers.push(await call(`${apis[i % 2]!.url}${path}`, { headers }));
    return answers;
  };

  it('counts a user at all processes together, and says what is left', async () => {
    const answers = await ask(READS + 2, apis[0].as(randomUUID()));
    expect(answers.map(statusOf)).toEqual([200, 200, 200, 200, 429, 429]);
    expect(answers.map(leftOf)).toEqual([3, 2, 1, 0, 0, 0].map((left) => [READS, left]));
    for (const answer of answers) expectSeconds(answer.headers.get('ratelimit-reset'));
  });

  it('counts each once when they all come at once', async () => {
    const headers = apis[0].as(randomUUID());
    const answers = (await Promise.all(Array.from({ length: 5 }, () => ask(4, headers)))).flat();
    expect(answers.map(statusOf)).toContain(429);
    // One whose store did not answer in time passes as the first.
    const later = answers.filter(({ status }) => status === 200).map((answer) => leftOf(answer)[1]!)
      .filter((left) => left < READS - 1);
    expect(new Set(later).size).toBe(later.length);
  });

  it('says how long to wait', async () => {
    const refused = (await ask(READS + 1, apis[0].as(randomUUID()))).at(-1)!;
    const seconds = Number(refused.headers.get('retry-after'));
    expectSeconds(refused.headers.get('retry-after'));
    expect(Number(refused.headers.get('ratelimit-reset'))).toBe(seconds);
    expect(refused.json).toEqual({
      success: false,
      data: null,
      code: 'RATE_LIMITED',
      error: `Rate limit exceeded. Try again in ${seconds} seconds.`,
    });
  });

  it('counts a user wherever they come from, and by whatever credentials', async () => {
    const user = apis[0].as(randomUUID());
    const body = { name: 'server' };
    const made = await call(`${apis[0].url}/api-keys`, { method: 'POST', headers: user, body });
    const bearer = { authorization: `Bearer ${made.json!.data.key}` };
    const answers = [
      ...(await ask(2, { ...user, 'x-forwarded-for': someAddress() })),
      ...(await ask(2, { ...bearer, 'x-forwarded-for': someAddress() })),
    ];
    expect(answers.map(statusOf)).toEqual([200, 200, 200, 429]);
  });

  it('counts callers without credentials, or with bad ones, by their address', async () => {
    const from = { 'x-forwarded-for': someAddress() };
    expect((await ask(2, from)).map(leftOf)).toEqual([[READS, 3], [READS, 2]]);
    const guesses = await ask(3, { ...from, authorization: 'Bearer plt_guess' }, '/credits');
    expect(guesses.map(statusOf)).toEqual([401, 401, 429]);
    expect((await ask(1, { 'x-forwarded-for': someAddress() })).map(statusOf)).toEqual([200]);
  });

  it("goes by the caller's plan, from the moment it is set", async () => {
    const userId = randomUUID();
    expect((await ask(READS + 1, apis[0].as(userId))).at(-1)).toMatchObject({ status: 429 });
    await call(`${apis[0].url}/admin/accounts/${userId}`, {
      method: 'PUT', headers: apis[0].as(randomUUID(), 'admin'), body: { price_id: 'price_wide' },
    });
    expect((await ask(1, apis[0].as(userId))).map(leftOf)).toEqual([[9, 3]]);
  });
});

describe(`${RateLimitGuard.name}, whose store is away`, () => {
  const UNCOUNTED = Array.from({ length: READS + 2 }, () => [READS, READS - 1]);

  async function askQuickly(api: TestApi): Promise<void> {
    const headers = api.as(randomUUID());
    const answers: Answered[] = [];
    for (const _ of UNCOUNTED) {
      const start = performance.now();
      answers.push(await call(`${api.url}/workflows`, { headers }));
      expect(performance.now() - start).toBeLessThan(4_000);
    }
    expect(answers.map(statusOf)).toEqual(answers.map(() => 200));
    expect(answers.map(leftOf)).toEqual(UNCOUNTED);
  }

  it('lets requests pass uncounted: Redis', async () => {
    const api = await startTestApi({ REDIS_URL: DEAD_REDIS, PLANS, LOG_LEVEL: 'silent' });
    try {
      await askQuickly(api);
    } finally {
      await api.close();
    }
  });

  it('lets requests pass uncounted: Postgres, and counts again once it answers', async () => {
    const api = await startTestApi({ PLANS, LOG_LEVEL: 'silent' });
    try {
      await api.database.transaction(async (tx) => {
        await tx.query('lock table rate_limit in access exclusive mode');
        await askQuickly(api);
      });
      const headers = api.as(randomUUID());
      const answers = [3, 2].map(() => call(`${api.url}/workflows`, { headers }));
      expect((await Promise.all(answers)).map(leftOf).sort()).toEqual([[READS, 2], [READS, 3]]);
    } finally {
      await api.close();
    }
  });
});
