import sharp from 'sharp';
import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import { buildApiRoad, SECRET, type ApiRoad } from '../../test/factories/api-road.js';
import { account, booksAreRight } from '../../test/factories/reads.js';
import type { Road } from '../../test/factories/road.js';
import type { ApiAnswering, ApiServer } from '../../test/setup/api-server.js';
import { AssetHandle, type NodeContext } from './node.js';

describe('a fetch_api step', () => {
  let api: ApiRoad;
  let road: Road;
  let server: ApiServer;
  let safe: ApiServer;
  let png: Buffer;

  beforeAll(async () => {
    api = await buildApiRoad();
    ({ road, server, safe } = api);
    png = await sharp({ create: { width: 4, height: 3, channels: 3, background: 'red' } }).png().toBuffer();
  });
  beforeEach(() => [api.server, api.safe].forEach((each) => each.reset(() => [200, {}])));
  afterEach(() => booksAreRight(road.database));
  afterAll(() => api.close());

  const files = (jobId: string) =>
    road.database.query('select name, mime_type, size from flat_file where job_id = $1 and shown order by id', [jobId]);
  const call = (more: JsonObject = {}, parts: JsonObject = {}): JsonObject =>
    ({ api: { url: `${server.url}/make`, method: 'POST', ...more }, body: {}, ...parts });
  const response = (outputExprJq: string, more: JsonObject = {}) =>
    call({ fetchType: 'response', response: { outputExprJq }, ...more });

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
      const { value, userId, jobId } = await api.ends('completed', { data, values: { prompt: 'a "fox"', user_id: 'forged' } });
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
      const file = new AssetHandle({ id: '1', storageKey: 'k', name: 'a.png', mimeType: 'image/png', size: 3, sha256: '' });
      await api.node.run({
        payload: { data, values: { f: file as never } }, edition: {}, hash: 'oo1', token: 't', signal: AbortSignal.timeout(5_000),
        assets: { read: async () => Buffer.from('abc') },
      } as unknown as NodeContext);
      expect(server.calls[0]?.body).toEqual({ url: 'data:image/png;base64,YWJj', raw: 'YWJj' });
    });

    it('with secrets in its headers, and tells them nowhere', async () => {
      safe.reset(() => [401, { error: `wrong key ${SECRET}`, header: `Bearer ${SECRET}x` }]);
      const data = { api: { url: `${safe.url}/v1`, method: 'GET', headers: { Authorization: 'Bearer {{API_KEY}}' } } };
      const { error, jobId } = await api.ends('failed', { data });
      expect(safe.calls[0]?.headers.authorization).toBe(`Bearer ${SECRET}`);
      expect(error).toMatchObject({ code: 'UPSTREAM_REFUSED', message: 'The API answered with status 401' });
      const rows = await road.database.query(
        `select job_history::text as row from job_history where job_id = $1
          union all select s::text from step_run s join generation g on g.id = s.generation_id where g.job_id = $1`, [jobId],
      );
      expect(JSON.stringify(rows)).not.toContain(SECRET);
    });

    it('without secrets behind a redirect to another host', async () => {
      safe.reset(() => [302, '', { location: `${server.url}/thief` }]);
      const data = { api: { url: `${safe.url}/v1`, method: 'GET', headers: { 'X-Key': '{{API_KEY}}', Authorization: '{{API_KEY}}' } } };
      await api.ends('completed', { data });
      expect(server.calls).toHaveLength(1);
      expect(JSON.stringify(server.calls)).not.toContain(SECRET);
    });

    it('not at all without a secret that it needs', async () => {
      const data = { api: { url: `${safe.url}/v1`, method: 'GET', headers: { 'X-Key': '{{OTHER}}' } } };
      expect((await api.ends('failed', { data })).error).toMatchObject({ code: 'MISSING_SECRET' });
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
      const { jobId } = await api.ends('completed', { data: response('.out'), outputType });
      expect(await files(jobId)).toMatchObject(expected.map((each) => ({ ...each, size: String(png.length) })));
    });

    it('more large files of one host than it has connections to it', async () => {
      const large = Buffer.alloc(512 * 1024, 'a');
      server.reset(({ path }) => (path === '/make' ? [200, { out: Array.from({ length: 20 }, (_, i) => `${server.url}/${i}`) }] : [200, large]));
      const { jobId } = await api.ends('completed', { data: response('.out'), outputType: 'image/png' });
      expect(await files(jobId)).toHaveLength(20);
    });

    it('a file that is the answer itself', async () => {
      server.reset(() => [200, png, { 'content-type': 'image/png' }]);
      const { jobId } = await api.ends('completed', { data: call({ fetchType: 'wait' }), outputType: 'image/png' });
      expect(await files(jobId)).toMatchObject([{ name: 'output-1.png', size: String(png.length) }]);
    });

    it.each<[what: string, program: string, outputType: string, value: unknown]>([
      ['text as text', '.text', 'text/plain', 'A fox.'],
      ['a URL as text where text is asked for', '.url', 'text/plain', 'http://127.0.0.1:1/x'],
      ['JSON as it is', '.list', 'application/json', [1, { a: null }]],
      ['what a program gives several of as a list', '.list[]', 'application/json', [1, { a: null }]],
    ])('%s', async (_what, program, outputType, value) => {
      server.reset(() => [200, { text: 'A fox.', url: 'http://127.0.0.1:1/x', list: [1, { a: null }] }]);
      expect((await api.ends('completed', { data: response(program), outputType })).value).toEqual(value);
    });

    it('files that could not be had at first, without another call', async () => {
      let asked = 0;
      server.reset(({ path }) => {
        if (path === '/make') return [200, { url: `${server.url}/a.png` }];
        return (asked += 1) < 3 ? [503, {}] : [200, png];
      });
      const { jobId, runs } = await api.ends('completed', { data: response('.url'), outputType: 'image/png' });
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
      ['refuses the input', () => [422, { detail: 'private: too long' }], 'UPSTREAM_REFUSED', 1],
      ['does not know the path', () => [404, 'private'.repeat(20_000)], 'UPSTREAM_REFUSED', 1],
      ['redirects', () => [307, '', { location: '/elsewhere' }], 'UPSTREAM_ERROR', 1],
      ['says another success than is expected', () => [204, ''], 'UPSTREAM_ERROR', 1],
      ['answers with what is not JSON', () => [200, Buffer.from('<private>'), { 'content-type': 'application/json' }], 'UPSTREAM_ERROR', 1],
      ['answers with half of it, each time', cut, 'UPSTREAM_ERROR', 3],
      ['answers otherwise than the program expects', () => [200, { out: 'private' }], 'UPSTREAM_ERROR', 1, '.out.url'],
      ['makes a program fail with its answer', () => [200, { out: 'private' }], 'UPSTREAM_ERROR', 1, 'error(.out)'],
      ['gives nothing', () => [200, { out: null }], 'UPSTREAM_ERROR', 1],
      ['gives an empty list', () => [200, { out: [] }], 'UPSTREAM_ERROR', 1],
      ['gives no file where one is promised', () => [200, { out: 'Sorry, private' }], 'UPSTREAM_ERROR', 1, '.out', 'image/png'],
      ['gives a data URL without end', () => [200, { out: `data:${';'.repeat(12_000_000)}` }], 'UPSTREAM_ERROR', 1, '.out', 'image/png'],
      ['gives a second file that is gone', ({ path }) => (path === '/make' ? [200, { out: ['a', 'b'].map((name) => `${server.url}/${name}`) }] : [path === '/a' ? 200 : 404, 'a']), 'UPSTREAM_ERROR', 3, '.out', 'image/png'],
      ['gives a file that is gone', ({ path }) => (path === '/make' ? [200, { out: `${server.url}/gone` }] : [404, {}]), 'UPSTREAM_ERROR', 2, '.out', 'image/png'],
      ['gives a file inside', () => [200, { out: 'http://169.254.169.254/latest/meta-data' }], 'UPSTREAM_ERROR', 1, '.out', 'image/png'],
    ])('%s', async (_what, answer, code, calls, program = '.out', outputType = 'application/json') => {
      server.reset(answer);
      const { error, runs, userId } = await api.ends('failed', { data: response(program, { successResponseCode: 200 }), outputType });
      expect({ code: error?.code, calls: server.calls.length, attempts: runs.length }).toEqual({ code, calls, attempts: 1 });
      expect(error?.message).not.toContain('private');
      expect(await account(road.database, userId)).toMatchObject({ held: 0, balance: 1 });
    });
  });
});
