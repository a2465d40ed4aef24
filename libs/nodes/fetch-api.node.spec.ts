import sharp from 'sharp';
import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import { OutboundClient } from '#libs/outbound/outbound-client.js';
import { QuickJsSandbox } from '#libs/sandbox/quickjs/quickjs-sandbox.js';
import { fetchApiKind } from '#libs/workflows/kinds/fetch-api.kind.js';
import { systemValuesOf } from '#libs/workflows/system-values.js';
import { account, booksAreRight, generationRows, jobEnds, stepRuns } from '../../test/factories/reads.js';
import { buildRoad, type Road } from '../../test/factories/road.js';
import { ApiServer, type ApiAnswering } from '../../test/setup/api-server.js';
import { eventually } from '../../test/setup/eventually.js';
import { TEST_CERTIFICATE } from '../../test/setup/tls.js';
import { fetchApiNode } from './fetch-api.node.js';
import { defineNode, inputFault, type NodeContext, type NodeDefinition } from './node.js';

const PUBLIC_URL = 'https://platen.test/';
const KEY = 'sk-very-secret';
interface Called {
  data: JsonObject;
  values?: JsonObject;
  outputType?: string;
}

/** A stored workflow's step: what its kind makes of the values, done by the node. */
function apiNode(inner: NodeDefinition): NodeDefinition {
  const prepared = (context: NodeContext): NodeContext => {
    const { data, values = {}, outputType = 'application/json' } = context.payload as unknown as Called;
    const payload = fetchApiKind.step!.payload(data, values, systemValuesOf(context, values, 'shelf'), outputType);
    const secret = async (name: string) => {
      if (name !== 'API_KEY') throw inputFault('MISSING_SECRET', `no secret named ${name}`);
      return KEY;
    };
    return { ...context, payload, secret };
  };
  return defineNode<JsonObject>({
    ...inner, name: 'api', aliases: [], payload: { type: 'object', properties: { data: { verbatim: true } } },
    run: (context) => inner.run(prepared(context)),
    poll: (context, reference) => inner.poll!(prepared(context), reference),
    find: (context, token) => inner.find!(prepared(context), token),
  });
}

describe('a fetch_api step', () => {
  let server: ApiServer;
  let safe: ApiServer;
  let client: OutboundClient;
  let scripts: QuickJsSandbox;
  let road: Road;
  let png: Buffer;

  beforeAll(async () => {
    [server, safe] = [await ApiServer.start(), await ApiServer.start('https', 'api.test')];
    client = new OutboundClient({
      allowedHosts: [server.host, safe.host], ca: TEST_CERTIFICATE, resolve: async () => ['127.0.0.1'],
    });
    scripts = new QuickJsSandbox(2);
    road = await buildRoad({ nodes: [apiNode(fetchApiNode(scripts, client, PUBLIC_URL))] });
    road.worker().start();
    png = await sharp({ create: { width: 4, height: 3, channels: 3, background: 'red' } }).png().toBuffer();
  });
  beforeEach(() => [server, safe].forEach((each) => each.reset(() => [200, {}])));
  afterEach(() => booksAreRight(road.database));
  afterAll(async () => {
    await road.close();
    await scripts.close();
    await client.close();
    [server, safe].forEach((each) => each.close());
  });

  const submit = (called: Called) =>
    road.submit({ steps: [{ id: 1, nodeName: 'api', nodePayload: called as never }], lane: 'provider' });
  async function ends(status: string, called: Called) {
    const { jobId, userId } = await submit(called);
    await jobEnds(road.database, jobId, status, 20_000);
    const runs = await stepRuns(road.database, jobId);
    return { jobId, userId, runs, error: (await generationRows(road.database, jobId))[0]?.error, value: runs.at(-1)?.output?.value };
  }
  const files = (jobId: string) =>
    road.database.query('select name, mime_type, size from flat_file where job_id = $1 and shown order by id', [jobId]);
  const call = (api: JsonObject, more: JsonObject = {}): JsonObject =>
    ({ api: { url: `${server.url}/make`, method: 'POST', ...api }, body: {}, ...more });
  const response = (outputExprJq: string, api: JsonObject = {}) => call({ fetchType: 'response', response: { outputExprJq }, ...api });

  describe('calls', () => {
    it('with the values of the form and the system at their places, once, under its token', async () => {
      server.reset(() => [200, { ok: true }]);
      const data = call({ headers: { 'X-Kind': 'fox' } }, {
        body: { payload: { prompt: '', steps: [1, { n: 0 }] }, hash: '', who: '', kept: 'own', tags: ['a', 'b'] },
        inputs: [
          { id: 'prompt', pathJq: '.payload.prompt', is_required: true }, { id: 'n', pathJq: '.payload.steps[-1].n', default: 7 },
          { id: 'hash', pathJq: '.hash' }, { id: 'user_id', pathJq: '.who' }, { id: 'absent', pathJq: '.kept' },
          { id: 'prompt', pathJq: '.tags[]' },
        ],
      });
      const { value, userId, jobId } = await ends('completed', { data, values: { prompt: 'a "fox"', user_id: 'forged' } });
      expect(value).toEqual({ ok: true });
      expect(server.calls).toHaveLength(1);
      const [{ method, path, headers, body }] = server.calls as [(typeof server.calls)[number]];
      expect([method, path, headers['x-kind'], headers['content-type']]).toEqual(['POST', '/make', 'fox', 'application/json']);
      expect(body).toEqual({
        payload: { prompt: 'a "fox"', steps: [1, { n: 7 }] }, hash: expect.stringMatching(/^oo/), who: userId, kept: 'own',
        tags: ['a "fox"', 'a "fox"'],
      });
      const [attempt] = await road.database.query<{ token: string }>(
        'select token from step_run s join generation g on g.id = s.generation_id where g.job_id = $1', [jobId],
      );
      expect(headers['idempotency-key']).toBe(attempt?.token);
    });

    it('with files as data URLs or as base64', async () => {
      const data = call({}, {
        body: { url: '', raw: '' }, inputs: [{ id: 'f', pathJq: '.url' }, { id: 'f', pathJq: '.raw', as: 'base64' }],
      });
      const reading = apiNode(fetchApiNode(scripts, client, PUBLIC_URL));
      const { AssetHandle } = await import('./node.js');
      const file = new AssetHandle({ id: '1', storageKey: 'k', name: 'a.png', mimeType: 'image/png', size: 3, sha256: '' });
      await reading.run({
        payload: { data, values: { f: file as never } }, edition: {}, hash: 'oo1', token: 't', signal: AbortSignal.timeout(5_000),
        assets: { read: async () => Buffer.from('abc') },
      } as unknown as NodeContext);
      expect(server.calls[0]?.body).toEqual({ url: 'data:image/png;base64,YWJj', raw: 'YWJj' });
    });

    it('with secrets in its headers, and tells them nowhere', async () => {
      safe.reset(() => [401, { error: `wrong key ${KEY}`, header: `Bearer ${KEY}x` }]);
      const data = { api: { url: `${safe.url}/v1`, method: 'GET', headers: { Authorization: 'Bearer {{API_KEY}}' } } };
      const { error, jobId } = await ends('failed', { data });
      expect(safe.calls[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
      expect(error).toMatchObject({ code: 'UPSTREAM_REFUSED', message: expect.stringContaining('401: {"error":"wrong key [secret]"') });
      const rows = await road.database.query(
        `select job_history::text as row from job_history where job_id = $1
          union all select s::text from step_run s join generation g on g.id = s.generation_id where g.job_id = $1`, [jobId],
      );
      expect(JSON.stringify(rows)).not.toContain(KEY);
    });

    it('without secrets behind a redirect to another host', async () => {
      safe.reset(() => [302, '', { location: `${server.url}/thief` }]);
      const data = { api: { url: `${safe.url}/v1`, method: 'GET', headers: { 'X-Key': '{{API_KEY}}', Authorization: '{{API_KEY}}' } } };
      await ends('completed', { data });
      expect(server.calls).toHaveLength(1);
      expect(JSON.stringify(server.calls)).not.toContain(KEY);
    });

    it('not at all without a secret that it needs', async () => {
      const data = { api: { url: `${safe.url}/v1`, method: 'GET', headers: { 'X-Key': '{{OTHER}}' } } };
      expect((await ends('failed', { data })).error).toMatchObject({ code: 'MISSING_SECRET' });
      expect(safe.calls).toEqual([]);
    });
  });

  describe('gives', () => {
    it.each<[what: string, outputs: () => Json, outputType: string, expected: object[]]>([
      ['files behind URLs', () => [`${server.url}/a.png`, `${server.url}/b`], 'image/png', [{ name: 'output-1.png' }, { name: 'output-2.png' }]],
      ['base64', () => png.toString('base64'), 'image/png', [{ name: 'output-1.png', mime_type: 'image/png' }]],
      ['base64 of URLs', () => png.toString('base64url'), 'image/png', [{ name: 'output-1.png' }]],
      ['data URLs', () => `data:image/png;base64,${png.toString('base64')}`, 'image/webp', [{ name: 'output-1.png' }]],
    ])('%s as files', async (_what, outputs, outputType, expected) => {
      server.reset(({ path }) => (path === '/make' ? [200, { out: outputs() }] : [200, png, { 'content-type': 'text/html' }]));
      const { jobId } = await ends('completed', { data: response('.out'), outputType });
      expect(await files(jobId)).toMatchObject(expected.map((each) => ({ ...each, size: String(png.length) })));
    });

    it('a file that is the answer itself', async () => {
      server.reset(() => [200, png, { 'content-type': 'image/png' }]);
      const { jobId } = await ends('completed', { data: call({ fetchType: 'wait' }), outputType: 'image/png' });
      expect(await files(jobId)).toMatchObject([{ name: 'output-1.png', size: String(png.length) }]);
    });

    it.each<[what: string, program: string, outputType: string, value: unknown]>([
      ['text as text', '.text', 'text/plain', 'A fox.'],
      ['a URL as text where text is asked for', '.url', 'text/plain', 'http://127.0.0.1:1/x'],
      ['JSON as it is', '.list', 'application/json', [1, { a: null }]],
      ['what a program gives several of as a list', '.list[]', 'application/json', [1, { a: null }]],
    ])('%s', async (_what, program, outputType, value) => {
      server.reset(() => [200, { text: 'A fox.', url: 'http://127.0.0.1:1/x', list: [1, { a: null }] }]);
      expect((await ends('completed', { data: response(program), outputType })).value).toEqual(value);
    });

    it('files that could not be had at first, without another call', async () => {
      let asked = 0;
      server.reset(({ path }) => {
        if (path === '/make') return [200, { url: `${server.url}/a.png` }];
        return (asked += 1) < 3 ? [503, {}] : [200, png];
      });
      const { jobId, runs } = await ends('completed', { data: response('.url'), outputType: 'image/png' });
      expect(await files(jobId)).toHaveLength(1);
      expect([runs.length, server.calls.filter(({ path }) => path === '/make').length]).toEqual([1, 1]);
    });
  });

  describe('fails once, and gives the price back, when the API', () => {
    const cut: ApiAnswering = (_request, answer) => {
      answer.writeHead(200, { 'content-type': 'application/json', 'content-length': '99' }).write('{"a":');
      setTimeout(() => answer.destroy(), 20);
    };
    it.each<[what: string, answer: ApiAnswering, code: string, calls: number, program?: string, outputType?: string]>([
      ['refuses the input', () => [422, { detail: 'prompt too long' }], 'UPSTREAM_REFUSED', 1],
      ['does not know the path', () => [404, 'x'.repeat(100_000)], 'UPSTREAM_REFUSED', 1],
      ['redirects', () => [307, '', { location: '/elsewhere' }], 'UPSTREAM_ERROR', 1],
      ['says another success than is expected', () => [204, ''], 'UPSTREAM_ERROR', 1],
      ['answers with what is not JSON', () => [200, Buffer.from('<html>'), { 'content-type': 'application/json' }], 'UPSTREAM_ERROR', 1],
      ['answers with half of it, each time', cut, 'UPSTREAM_ERROR', 3],
      ['answers otherwise than the program expects', () => [200, { out: 5 }], 'UPSTREAM_ERROR', 1, '.out.url'],
      ['gives nothing', () => [200, { out: null }], 'UPSTREAM_ERROR', 1],
      ['gives an empty list', () => [200, { out: [] }], 'UPSTREAM_ERROR', 1],
      ['gives no file where one is promised', () => [200, { out: 'Sorry, I cannot draw that' }], 'UPSTREAM_ERROR', 1, '.out', 'image/png'],
      ['gives a file that is gone', ({ path }) => (path === '/make' ? [200, { out: `${server.url}/gone` }] : [404, {}]), 'UPSTREAM_ERROR', 2, '.out', 'image/png'],
      ['gives a file inside', () => [200, { out: 'http://169.254.169.254/latest/meta-data' }], 'UPSTREAM_ERROR', 1, '.out', 'image/png'],
    ])('%s', async (_what, answer, code, calls, program = '.out', outputType = 'application/json') => {
      server.reset(answer);
      const { error, runs, userId } = await ends('failed', { data: response(program, { successResponseCode: 200 }), outputType });
      expect({ code: error?.code, calls: server.calls.length, attempts: runs.length }).toEqual({ code, calls, attempts: 1 });
      expect(error?.message.length).toBeLessThan(500);
      expect(await account(road.database, userId)).toMatchObject({ held: 0, balance: 1 });
    });
  });

  it('calls again under the same key when nobody answered', async () => {
    server.reset(({ headers }, answer) => {
      if (server.calls.length > 1) return [200, { key: headers['idempotency-key'] as string }];
      return void answer.destroy();
    });
    const { value } = await ends('completed', { data: response('.key') });
    expect(server.calls[0]?.headers['idempotency-key']).toBe(value);
  });

  it.each([429, 500, 503])('makes another attempt after %i, no sooner than it is told', async (status) => {
    let firstAt = 0;
    let waited = 0;
    server.reset(() => {
      if (server.calls.length === 1) firstAt = Date.now();
      else waited = Date.now() - firstAt;
      return server.calls.length === 1 ? [status, {}, { 'retry-after': '3' }] : [200, 'fine'];
    });
    const { runs, value } = await ends('completed', { data: call({}) });
    expect([runs.map((run) => run.status), value]).toEqual([['failed', 'completed'], 'fine']);
    expect(waited).toBeGreaterThan(2_900);
  });

  describe('that polls', () => {
    const polling = (part: JsonObject = {}, api: JsonObject = {}) => call({
      fetchType: 'polling', successResponseCode: [200, 202],
      polling: {
        url: `${server.url}/jobs/{id}?full=1`, params: { id: { exprJq: '.job.id' } }, interval: 200,
        continueWhenExpr: 'data.status === "running"', stopWhenExpr: 'data.status === "done"', outputExprJq: '.out', ...part,
      },
      ...api,
    });
    const job = (...answers: Array<[number, unknown, Record<string, string>?]>): ApiAnswering => ({ path }) => {
      if (path === '/make') return [202, { job: { id: 'a/1' } }];
      return answers[Math.min(server.calls.length - 2, answers.length - 1)]!;
    };
    const running: [number, unknown] = [200, { status: 'running' }];
    const done: [number, unknown] = [200, { status: 'done', out: 'A fox.' }];

    it('asks until the result is there, holding no slot', async () => {
      server.reset(job(running, running, done));
      const { value, runs } = await ends('completed', { data: polling() });
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
      expect((await ends('completed', { data: polling(part) })).value).toBe('A fox.');
    });

    it('goes to a URL that the answer gives', async () => {
      server.reset(({ path }) => (path === '/make' ? [200, { job: { id: `${server.url}/given` } }] : done));
      expect((await ends('completed', { data: polling({ url: '{id}' }) })).value).toBe('A fox.');
      expect(server.calls[1]?.path).toBe('/given');
    });

    it('bears bad days', async () => {
      server.reset(job([503, {}], [429, {}, { 'retry-after': '1' }], [200, { status: 'running' }], done));
      expect((await ends('completed', { data: polling() })).value).toBe('A fox.');
    });

    it.each<[what: string, answer: [number, unknown], part: JsonObject]>([
      ['the work failed', [200, { status: 'error' }], {}],
      ['the job is gone', [404, {}], {}],
      ['the expression does not fit', [200, null], {}],
      ['the expression never ends', [200, {}], { stopWhenExpr: '(() => { for (;;); })()' }],
      ['its time is over', running, { timeout: 1_500 }],
      ['the next URL cannot be made', running, { params: { id: { exprJq: '.job.nothing' } } }],
      ['the next URL leads elsewhere', running, { params: { id: { exprJq: '".."' } } }],
    ])('fails for good when %s', async (_what, answer, part) => {
      server.reset(job(answer));
      const { error, runs } = await ends('failed', { data: polling(part) });
      expect(error?.code).toMatch(/^(UPSTREAM_ERROR|UPSTREAM_REFUSED|STEP_TIMEOUT)$/);
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
      const { jobId } = await submit({ data: data() });
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
      expect((await ends('completed', { data: data() })).value).toBe('quick');
    });

    it('takes what came though the call was never answered', async () => {
      server.reset(async ({ body }, answer) => {
        await deliver(tokenIn((body as JsonObject)['callback']), { result: 'heard' });
        answer.destroy();
      });
      expect((await ends('completed', { data: data() })).value).toBe('heard');
      expect(server.calls).toHaveLength(1);
    });

    it('fails when nothing comes', async () => {
      const { error } = await ends('failed', { data: call({ fetchType: 'webhook', webhook: { timeout: 1_000 } }) });
      expect(error?.code).toBe('STEP_TIMEOUT');
    });
  });
});
