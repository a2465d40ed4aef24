import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import { fetchApiNode } from '#libs/nodes/fetch-api.node.js';
import type { NodeContext } from '#libs/nodes/node.js';
import { OutboundClient } from '#libs/outbound/outbound-client.js';
import { SandboxUnavailable } from '#libs/sandbox/script-sandbox.js';
import { fetchApiKind } from '#libs/workflows/kinds/fetch-api.kind.js';
import { buildApiRoad, PUBLIC_URL, type ApiRoad } from '../../test/factories/api-road.js';
import { kindNode } from '../../test/factories/kind-node.js';
import { booksAreRight, generationRows, jobEnds, stepRuns } from '../../test/factories/reads.js';
import type { Road } from '../../test/factories/road.js';
import type { ApiAnswering, ApiServer } from '../../test/setup/api-server.js';
import { eventually } from '../../test/setup/eventually.js';

describe('a call whose result takes its time', () => {
  let api: ApiRoad;
  let road: Road;
  let server: ApiServer;

  beforeAll(async () => {
    api = await buildApiRoad();
    ({ road, server } = api);
  });
  beforeEach(() => [api.server, api.safe].forEach((each) => each.reset(() => [200, {}])));
  afterEach(() => booksAreRight(road.database));
  afterAll(() => api.close());

  const call = (more: JsonObject = {}, parts: JsonObject = {}): JsonObject =>
    ({ api: { url: `${server.url}/make`, method: 'POST', ...more }, body: {}, ...parts });

  it('calls again under the same key when nobody answered', async () => {
    server.reset(({ headers }, answer) => {
      if (server.calls.length > 1) return [200, { key: headers['idempotency-key'] as string }];
      return void answer.destroy();
    });
    const { value } = await api.ends('completed', { data: call({ response: { outputExprJq: '.key' } }) });
    expect(server.calls[0]?.headers['idempotency-key']).toBe(value);
  });

  it.each([429, 500, 503])('calls again under the same key after %i, no sooner than it is told', async (status) => {
    let firstAt = 0;
    let waited = 0;
    server.reset(() => {
      if (server.calls.length === 1) firstAt = Date.now();
      else waited = Date.now() - firstAt;
      return server.calls.length === 1 ? [status, {}, { 'retry-after': '3' }] : [200, 'fine'];
    });
    const { runs, value } = await api.ends('completed', { data: call({}) });
    expect([runs.map((run) => run.status), value]).toEqual([['completed'], 'fine']);
    expect(new Set(server.calls.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    expect(waited).toBeGreaterThan(2_900);
  });

  it('begins nothing anew when its programs cannot be run for a moment', async () => {
    const busy = { run: () => Promise.reject(new SandboxUnavailable('no process')), close: async () => undefined };
    const client = new OutboundClient({ allowedHosts: [server.host] });
    const node = kindNode('api', fetchApiKind, fetchApiNode(busy, client, PUBLIC_URL));
    const context = (more: JsonObject) => ({
      payload: { data: { api: { url: server.url, method: 'GET', ...more } } }, edition: {}, hash: 'oo1', token: 't',
      signal: AbortSignal.timeout(5_000), log: () => undefined, delivery: async () => ({}),
    }) as unknown as NodeContext;
    const response = { outputExprJq: '.a' };
    expect(await node.run(context({ response }))).toMatchObject({ reference: { stage: 'call', token: 't', failures: 1 } });
    expect(server.calls).toHaveLength(1);
    const polled = { stage: 'poll', token: 't', url: server.url, failures: 0 };
    const polling = { url: server.url, stopWhenExpr: 'data.done' };
    expect(await node.poll!(context({ fetchType: 'polling', polling }), polled)).toMatchObject({ reference: { ...polled, failures: 1 } });
    const told = { stage: 'webhook', token: 't' };
    expect(await node.poll!(context({ fetchType: 'webhook', webhook: response }), told)).toMatchObject({ kind: 'waiting', reference: told });
    await client.close();
  });

  describe('that polls', () => {
    const polling = (part: JsonObject = {}) => call({
      fetchType: 'polling', successResponseCode: [200, 202],
      polling: {
        url: `${server.url}/jobs/{id}?full=1`, params: { id: { exprJq: '.job.id' } }, interval: 200,
        continueWhenExpr: 'data.status === "running"', stopWhenExpr: 'data.status === "done"', outputExprJq: '.out', ...part,
      },
    });
    const job = (...answers: Array<[number, unknown, Record<string, string>?]>): ApiAnswering => ({ path }) => {
      if (path === '/make') return [202, { job: { id: 'a/1' } }];
      return answers[Math.min(server.calls.length - 2, answers.length - 1)]!;
    };
    const running: [number, unknown] = [200, { status: 'running' }];
    const done: [number, unknown] = [200, { status: 'done', out: 'A fox.' }];

    it('asks until the result is there, holding no slot', async () => {
      server.reset(job(running, running, done));
      const { value, runs } = await api.ends('completed', { data: polling() });
      expect([value, runs.length]).toEqual(['A fox.', 1]);
      expect(server.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
        'POST /make', ...Array<string>(3).fill('GET /jobs/a%2F1?full=1'),
      ]);
    });

    it.each<[what: string, part: JsonObject]>([
      ['stopWhenExpr', { continueWhenExpr: null }], ['continueWhenExpr', { stopWhenExpr: null }],
      ['the status', { continueWhenExpr: null, stopWhenExpr: null, successResponseCode: 200 }],
    ])('goes by %s alone', async (_what, part) => {
      server.reset(job([206, { status: 'running' }], [206, { status: 'running' }], done));
      expect((await api.ends('completed', { data: polling(part) })).value).toBe('A fox.');
    });

    it('goes to a URL that the answer gives', async () => {
      server.reset(({ path }) => (path === '/make' ? [200, { job: { id: `${server.url}/given` } }] : done));
      expect((await api.ends('completed', { data: polling({ url: '{id}' }) })).value).toBe('A fox.');
      expect(server.calls[1]?.path).toBe('/given');
    });

    it('bears bad days', async () => {
      server.reset(job([503, {}], [429, {}, { 'retry-after': '1' }], [200, { status: 'running' }], done));
      expect((await api.ends('completed', { data: polling() })).value).toBe('A fox.');
    });

    it.each<[what: string, answer: [number, unknown], part: JsonObject]>([
      ['the work failed', [200, { status: 'error' }], {}],
      ['the job is gone', [404, {}], {}],
      ['the expression does not fit', [200, null], {}],
      ['the expression fails with the answer', [200, { text: 'private' }], { stopWhenExpr: '(() => { throw new Error(data.text); })()' }],
      ['the expression never ends', [200, {}], { stopWhenExpr: '(() => { for (;;); })()' }],
      ['its time is over', running, { timeout: 1_500 }],
      ['the next URL cannot be made', running, { params: { id: { exprJq: '.job.nothing' } } }],
      ['the next URL leads elsewhere', running, { params: { id: { exprJq: '".."' } } }],
    ])('fails for good when %s', async (_what, answer, part) => {
      server.reset(job(answer));
      const { error, runs } = await api.ends('failed', { data: polling(part) });
      expect(error?.code).toMatch(/^(UPSTREAM_ERROR|UPSTREAM_REFUSED|STEP_TIMEOUT)$/);
      expect(error?.message).not.toContain('private');
      expect(runs).toHaveLength(1);
    });
  });

  describe('that is told by webhook', () => {
    const data = () => call({ fetchType: 'webhook', headers: { 'X-Callback': '{{webhook_url}}' }, webhook: { outputExprJq: '.result' } }, {
      body: { callback: '' }, inputs: [{ id: 'webhook_url', pathJq: '.callback' }],
    });
    const tokenIn = (address: unknown) => /^https:\/\/platen\.test\/webhooks\/steps\/([\da-f-]{36})$/.exec(String(address))![1]!;
    const deliver = (token: string, body: Json) => road.inbox.deliver({ provider: 'step', id: token, token, body });

    it('tells where, waits without a slot, and takes what comes', async () => {
      const { jobId } = await api.submit({ data: data() });
      await eventually(async () => expect((await generationRows(road.database, jobId))[0]?.status).toBe('waiting'));
      const token = tokenIn((server.calls[0]!.body as JsonObject)['callback']);
      expect(tokenIn(server.calls[0]!.headers['x-callback'])).toBe(token);
      expect(await deliver(token, { result: 'A fox.' })).toBe(true);
      await jobEnds(road.database, jobId, 'completed');
      expect((await stepRuns(road.database, jobId))[0]?.output.value).toBe('A fox.');
      expect(server.calls).toHaveLength(1);
    });

    it('takes what came before the call was answered', async () => {
      server.reset(async ({ body }, answer) => {
        await deliver(tokenIn((body as JsonObject)['callback']), { result: 'quick' });
        answer.writeHead(202).end('{}');
      });
      expect((await api.ends('completed', { data: data() })).value).toBe('quick');
    });

    it('takes what came though the call was never answered', async () => {
      server.reset(async ({ body }, answer) => {
        await deliver(tokenIn((body as JsonObject)['callback']), { result: 'heard' });
        answer.destroy();
      });
      expect((await api.ends('completed', { data: data() })).value).toBe('heard');
      expect(server.calls).toHaveLength(1);
    });

    it('fails when nothing comes', async () => {
      const { error } = await api.ends('failed', { data: call({ fetchType: 'webhook', webhook: { timeout: 1_000 } }) });
      expect(error?.code).toBe('STEP_TIMEOUT');
    });
  });
});
