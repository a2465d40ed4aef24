import { randomUUID } from 'node:crypto';
import { call, outcomeOf } from '../../../test/api/calls.js';
import { startTestApi, type TestApi } from '../../../test/setup/api.js';
import { eventually } from '../../../test/setup/eventually.js';
import { metricsAskedFor, missingIn } from '../../../test/structure/monitoring.js';

const TOKEN = 'a token of Prometheus';

let api: TestApi;

const get = (path: string, headers: Record<string, string> = {}) => call(`${api.url}${path}`, { headers });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const basic = (password: string) => ({ authorization: `Basic ${Buffer.from(`me:${password}`).toString('base64')}` });
const read = async () => (await get('/metrics', bearer(TOKEN))).text;

/** Value of a sample, named as on the page. */
async function valueOf(sample: string): Promise<number> {
  const line = (await read()).split('\n').find((text) => text.startsWith(`${sample} `));
  return line === undefined ? 0 : Number(line.slice(sample.length + 1));
}

describe('metrics of an API process', () => {
  beforeAll(async () => {
    api = await startTestApi({ LOG_LEVEL: 'silent', METRICS_TOKEN: TOKEN });
  });
  afterAll(() => api.close());

  it.each([
    ['nobody', () => ({}), '401 UNAUTHENTICATED'],
    ['a user', () => api.as(randomUUID()), '403 FORBIDDEN'],
    ['another token', () => bearer('a token of Prometheus?'), '401 UNAUTHENTICATED'],
    ['the token as a password', () => basic(TOKEN), '401 UNAUTHENTICATED'],
    ['the token', () => bearer(TOKEN), '200'],
    ['an admin', () => api.as(randomUUID(), 'admin'), '200'],
    ['an admin by Basic', () => basic(api.as(randomUUID(), 'admin').authorization.replace('Bearer ', '')), '200'],
  ])('are shown to %s as they may see them', async (_who, headers, outcome) => {
    const answer = await get('/metrics', headers());
    expect(outcomeOf(answer)).toBe(outcome);
    expect(answer.headers.has('ratelimit-limit')).toBe(false);
    expect(answer.headers.get('content-type')).toMatch(outcome === '200' ? /^text\/plain/ : /^application\/json/);
  });

  it('ask a browser for a password', async () => {
    expect((await get('/metrics')).headers.get('www-authenticate')).toBe('Basic realm="Platen", charset="UTF-8"');
    expect((await get('/credits')).headers.get('www-authenticate')).toBe('Bearer');
  });

  it('open nothing else to their token', async () => {
    for (const path of ['/credits', '/admin/queues', '/jobs']) {
      expect([path, (await get(path, bearer(TOKEN))).status]).toEqual([path, 401]);
    }
  });

  it('count requests by template and status, however they are addressed', async () => {
    const sample = (route: string, status: number) =>
      `platen_http_request_duration_seconds_count{method="GET",route="${route}",status="${status}"}`;
    const before = await valueOf(sample('/jobs/:id', 404));
    for (let index = 0; index < 3; index++) await get(`/jobs/${randomUUID()}?x=${index}`, api.as(randomUUID()));
    await get(`/nowhere/${randomUUID()}`);
    expect(await valueOf(sample('/jobs/:id', 404))).toBe(before + 3);
    expect(await valueOf(sample('none', 404))).toBe(1);
    expect(await read()).not.toMatch(/route="[^"]*[0-9a-f]{8}-/);
  });

  it('count failures by code, and who called lately', async () => {
    const [failures, users] = ['platen_http_errors_total{code="JOB_NOT_FOUND"}', 'platen_active_users'];
    const before = [await valueOf(failures), await valueOf(users)] as const;
    const caller = api.as(randomUUID());
    for (const _ of [1, 2]) await get(`/jobs/${randomUUID()}`, caller);
    expect(await valueOf(failures)).toBe(before[0] + 2);
    expect(await valueOf(users)).toBe(before[1] + 1);
  });

  it('are all that dashboard and alerts ask for', async () => {
    expect(metricsAskedFor().length).toBeGreaterThan(40);
    expect(missingIn(await read(), metricsAskedFor())).toEqual([]);
  });

  it('say what the process uses and what it stands on', async () => {
    const names = [
      'process_cpu_seconds_total', 'process_resident_memory_bytes', 'nodejs_eventloop_lag_p99_seconds',
      'platen_database_connections{state="used"}', 'platen_event_bus_up 1', 'platen_event_streams 0',
      'platen_oldest_unfinished_age_seconds 0', 'platen_overdue_reservations 0', 'platen_ledger_drift_accounts 0',
      'platen_storage_bytes 0', 'platen_wake_ups{lane="chromium",state="waiting"} 0',
    ];
    await eventually(async () => {
      const text = await read();
      expect(names.filter((name) => !text.includes(name))).toEqual([]);
    }, 20_000);
  });
});

describe('metrics with a port of their own', () => {
  beforeAll(async () => {
    api = await startTestApi({ LOG_LEVEL: 'silent', METRICS_TOKEN: TOKEN, METRICS_PORT: '0' });
  });
  afterAll(() => api.close());

  it('are no route of the API', async () => {
    expect(outcomeOf(await get('/metrics', bearer(TOKEN)))).toBe('404 NOT_FOUND');
    expect((await get('/openapi.json')).text).not.toContain('"/metrics"');
  });
});
