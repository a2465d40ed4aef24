import { Platen, PlatenError, type PlatenOptions } from './index.js';
import { cutOff, failure, json, ScriptedServer, silence, success, type Answer } from '../../test/setup/scripted-server.js';

let server: ScriptedServer;

beforeEach(async () => {
  server = await new ScriptedServer().start();
});
afterEach(() => server.stop());

const clientOf = (options: Partial<PlatenOptions> = {}) => new Platen({ url: server.url, token: 'secret', ...options });
const order = { title: 'Tides', workflow_id: '0193fd6c-0000-7000-8000-000000000000' };

async function failureOf(work: Promise<unknown>): Promise<PlatenError> {
  const error: unknown = await work.then(() => undefined, (thrown: unknown) => thrown);
  if (error instanceof PlatenError) return error;
  throw new Error(`It did not fail with a PlatenError: ${String(error)}`);
}

describe('a call', () => {
  it('puts values into path and query, sends the token and JSON, and gives the data', async () => {
    server.answers = [success({ id: 'a b' })];
    const client = clientOf({ token: async () => 'renewed' });
    expect(await client.get('/jobs/{id}', { path: { id: 'a b/c' } })).toEqual({ id: 'a b' });
    await client.get('/jobs', { query: { status: 'failed', limit: 5 } });
    await client.post('/projects', { body: { name: 'Sea' } });
    expect(server.requests.map(({ method, url, body }) => [method, url, body])).toEqual([
      ['GET', '/jobs/a%20b%2Fc', ''], ['GET', '/jobs?status=failed&limit=5', ''], ['POST', '/projects', '{"name":"Sea"}'],
    ]);
    expect(server.requests[2]?.headers).toMatchObject({ authorization: 'Bearer renewed', 'content-type': 'application/json' });
  });

  it('sends forms as forms', async () => {
    const form = new FormData();
    form.set('file', new File(['ink'], 'ink.txt', { type: 'text/plain' }));
    await clientOf().post('/assets', { body: form });
    expect(server.requests[0]?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
    expect(server.requests[0]?.body).toContain('ink');
  });

  it('gives every item of a list, page by page', async () => {
    server.answers = [
      success({ items: [{ id: '1' }, { id: '2' }], next_cursor: 'on' }), success({ items: [{ id: '3' }], next_cursor: null }),
    ];
    const ids: string[] = [];
    for await (const { id } of clientOf().list('/jobs', { query: { limit: 2 } })) ids.push(id);
    expect(ids).toEqual(['1', '2', '3']);
    expect(server.requests.map(({ url }) => url)).toEqual(['/jobs?limit=2', '/jobs?limit=2&cursor=on']);
  });

  it('ends with a list whose pages lead nowhere', async () => {
    const idsOf = async (...pages: object[]) => {
      server.answers = pages.map((page) => success(page));
      const ids: string[] = [];
      for await (const { id } of clientOf().list('/jobs')) ids.push(id);
      return ids;
    };
    expect(await idsOf({ items: [{ id: '1' }] })).toEqual(['1']);
    const circle = { items: [{ id: '1' }], next_cursor: 'on' };
    expect(await failureOf(idsOf(circle, circle))).toMatchObject({ code: 'NOT_PLATEN' });
  });

  it('takes files from elsewhere without telling the token there', async () => {
    const elsewhere = await new ScriptedServer().start();
    try {
      elsewhere.answers = [(_request, response) => response.end('bytes')];
      const bytes = await clientOf().download(`${elsewhere.url}/bucket/file.png`);
      expect(Buffer.from(bytes).toString()).toBe('bytes');
      expect(elsewhere.requests[0]?.headers.authorization).toBeUndefined();
      await clientOf().download('/files/1.png');
      expect(server.requests[0]?.headers.authorization).toBe('Bearer secret');
    } finally {
      await elsewhere.stop();
    }
  });
});

describe('a call that fails', () => {
  it('tells code, sentence, details and request', async () => {
    const faults = [{ field: 'title', message: 'must be a text' }];
    server.answers = [failure(400, 'VALIDATION_ERROR', {}, faults)];
    const error = await failureOf(clientOf().post('/api/collections/generate', { body: order }));
    expect(error).toMatchObject({
      code: 'VALIDATION_ERROR', status: 400, message: 'It cannot be.', details: faults, faults, requestId: 'request-7',
    });
    expect(server.requests).toHaveLength(1);
  });

  it('says when something else than a Platen answers', async () => {
    server.answers = [(_request, response) => response.writeHead(404).end('<html>')];
    expect(await failureOf(clientOf().get('/credits'))).toMatchObject({ code: 'NOT_PLATEN', status: 404 });
  });

  it.each<[string, Answer]>([
    ['a page', (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
    ['JSON of its own', json(200, { status: 'ok' })],
    ['nothing', json(200, null as never)],
  ])('says so, and does not ask again, when a success is %s', async (_what, answer) => {
    server.answers = [answer];
    const error = await failureOf(clientOf().get('/credits'));
    expect(error).toMatchObject({ code: 'NOT_PLATEN', status: 200, message: `${server.url}/credits answered 200, but not as a Platen.` });
    expect(server.requests).toHaveLength(1);
  });

  it('for its token tells no part of it, and what its maker threw', async () => {
    const error = await failureOf(clientOf({ token: 'sec\nret' }).get('/credits'));
    expect(error).toMatchObject({ code: 'UNAUTHENTICATED', status: 0 });
    expect(`${error.stack} ${String(error.cause)}`).not.toMatch(/sec|ret/);
    const token = () => Promise.reject(new Error('locked out'));
    await expect(clientOf({ token }).get('/credits')).rejects.toThrow('locked out');
    expect(server.requests).toHaveLength(0);
  });

  it.each([
    [429, 'RATE_LIMITED', 1], [503, 'SERVICE_UNAVAILABLE', 0], [409, 'IDEMPOTENCY_IN_PROGRESS', 0],
  ])('with %s %s is sent again when the server says, under the same key', async (status, code, seconds) => {
    server.answers = [failure(status, code, { 'retry-after': String(seconds) }), success({ job_id: 'j' }, 201)];
    const before = performance.now();
    expect(await clientOf().post('/api/collections/generate', { body: order })).toEqual({ job_id: 'j' });
    expect(performance.now() - before).toBeGreaterThan(seconds * 990);
    const keys = server.requests.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), keys[0]]);
    expect(server.requests[1]?.body).toBe(server.requests[0]?.body);
  });

  it('is sent again when its connection broke, or half an answer came', async () => {
    const half: Answer = (request, response) => {
      response.writeHead(201, { 'content-type': 'application/json', 'content-length': '100' }).write('{"success":');
      setImmediate(() => request.socket.destroy());
    };
    server.answers = [cutOff, half, success({ id: 'p' }, 201)];
    expect(await clientOf().post('/projects', { body: { name: 'Sea' } })).toEqual({ id: 'p' });
    expect(new Set(server.requests.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  });

  it('takes the key it is given, and makes another for every call', async () => {
    const client = clientOf();
    await client.post('/projects', { body: { name: 'Sea' }, idempotencyKey: 'order-4711' });
    await client.post('/projects', { body: { name: 'Sea' } });
    await client.post('/jobs/{id}/cancel', { path: { id: '1' } });
    const [given, made, none] = server.requests.map(({ headers }) => headers['idempotency-key']);
    expect([given, none]).toEqual(['order-4711', undefined]);
    expect(made).toMatch(/^[0-9a-f]{32}$/);
  });

  it('is not sent again where that might do a thing twice, or the server asks for more patience than there is', async () => {
    server.answers = [cutOff];
    expect(await failureOf(clientOf().post('/api-keys', { body: { name: 'ci' } }))).toMatchObject({ code: 'UNREACHABLE', status: 0 });
    server.answers = [failure(429, 'RATE_LIMITED', { 'retry-after': '3600' })];
    expect(await failureOf(clientOf().get('/credits'))).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 3_600_000 });
    server.answers = [failure(502, 'UPSTREAM_ERROR')];
    expect(await failureOf(clientOf().get('/credits'))).toMatchObject({ code: 'UPSTREAM_ERROR' });
    server.answers = [cutOff];
    const keyed = { body: { name: 'ci' }, idempotencyKey: 'a key that this POST does not take' };
    expect(await failureOf(clientOf().post('/api-keys', keyed))).toMatchObject({ code: 'UNREACHABLE' });
    expect(server.requests).toHaveLength(4);
  });

  it('waits no longer than it may, and ends when it is told to', async () => {
    server.answers = [silence];
    const hasty = clientOf({ timeoutMs: 50, patienceMs: 0 });
    expect(await failureOf(hasty.get('/credits'))).toMatchObject({ code: 'TIMEOUT', status: 0 });
    const stop = new AbortController();
    const stopped = clientOf({ signal: stop.signal }).get('/credits');
    stop.abort(new Error('enough'));
    await expect(stopped).rejects.toThrow('enough');
  });
});
