import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { OutboundClient } from './outbound-client.js';
import { OutboundError } from './outbound-error.js';

const MEGABYTE = 1024 ** 2;
const opened: Array<{ close(): unknown }> = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

async function listen(answer: RequestListener, host = '127.0.0.1', port = 0): Promise<string> {
  const server = createServer(answer).listen(port, host);
  await once(server, 'listening');
  opened.push({ close: () => (server.closeAllConnections(), server.close()) });
  return `127.0.0.1:${portOf(server)}`;
}

/** Writes bytes that no HTTP server would. */
async function listenRaw(write: (send: (bytes: string | Buffer) => boolean, isOpen: () => boolean) => void): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined).once('data', () => write((bytes) => socket.write(bytes), () => socket.writable));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push(server);
  return `127.0.0.1:${portOf(server)}`;
}

const portOf = (server: { address(): AddressInfo | string | null }) => (server.address() as AddressInfo).port;

function clientFor(...allowedHosts: string[]): OutboundClient {
  const client = new OutboundClient({ allowedHosts });
  opened.unshift(client);
  return client;
}

const reasonOf = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: unknown) => (error instanceof OutboundError ? error.reason : error),
  );

it('gives the answer as a stream, decompressed, and says where it came from', async () => {
  const host = await listen((request, response) => {
    response.writeHead(201, { 'content-encoding': 'gzip', 'x-seen': request.headers['accept-encoding'] });
    response.end(gzipSync('hello'));
  });
  const answer = await clientFor(host).request(`http://${host}/a?b=c#d`);
  expect(answer).toMatchObject({ status: 201, url: `http://${host}/a?b=c`, headers: { 'x-seen': 'gzip, deflate, br' } });
  expect(await text(answer.body)).toBe('hello');
});

it('sends method, headers and body, but not the headers that are its own to write', async () => {
  let seen: IncomingMessage | undefined;
  let body = '';
  const host = await listen(async (request, response) => {
    seen = request;
    body = await text(request);
    response.end();
  });
  const headers = { Authorization: 'Bearer x', Host: 'inside', 'Transfer-Encoding': 'chunked', Connection: 'upgrade' };
  const answer = await clientFor(host).request(`http://${host}/`, { method: 'POST', headers, body: '{}' });
  answer.body.resume();
  expect([seen?.method, seen?.headers.host, seen?.headers.authorization, body]).toEqual(['POST', host, 'Bearer x', '{}']);
  expect(seen?.headers['transfer-encoding']).toBeUndefined();
});

it('is exempt by name, not by address', async () => {
  const host = await listen((_request, response) => response.end());
  const client = new OutboundClient({ allowedHosts: [`inside.test:${host.split(':')[1]}`], resolve: async () => ['127.0.0.1'] });
  opened.unshift(client);
  const port = host.split(':')[1];
  expect((await client.request(`http://inside.test:${port}/`)).status).toBe(200);
  expect(await reasonOf(client.request(`http://${host}/`))).toBe('url');
  expect(await reasonOf(client.request(`http://other.test:${port}/`))).toBe('url');
});

it('resolves a name once for each connection, and connects to what it judged', async () => {
  let reached = '';
  const host = await listen((_request, response) => response.end(void (reached += 'first ')), '127.0.0.1');
  const port = Number(host.split(':')[1]);
  await listen((_request, response) => response.end(void (reached += 'second ')), '127.0.0.2', port);
  const answers = ['127.0.0.1', '127.0.0.2', '127.0.0.2'];
  const resolve = async () => [answers.shift() as string];
  const client = new OutboundClient({ allowedHosts: [`rebind.test:${port}`], resolve });
  opened.unshift(client);
  (await client.request(`http://rebind.test:${port}/`)).body.resume();
  expect([reached, answers.length]).toEqual(['first ', 2]);
});

describe('redirects', () => {
  it('are followed, without credentials to another origin', async () => {
    const seen: Array<IncomingMessage['headers']> = [];
    const target = await listen((request, response) => (seen.push(request.headers), response.end('there')));
    const host = await listen((request, response) => {
      seen.push(request.headers);
      response.writeHead(307, { location: request.url === '/' ? '/again' : `http://${target}/` }).end('ignored');
    });
    const headers = { authorization: 'Bearer x', cookie: 'a=b', 'x-api-key': 'x', accept: 'image/*' };
    const answer = await clientFor(host, target).request(`http://${host}/`, { headers });
    expect([answer.url, await text(answer.body)]).toEqual([`http://${target}/`, 'there']);
    expect(seen.map(({ authorization }) => authorization)).toEqual(['Bearer x', 'Bearer x', undefined]);
    expect(seen[2]).toMatchObject({ accept: 'image/*' });
    expect(seen[2]).not.toHaveProperty('cookie');
    expect(seen[2]).not.toHaveProperty('x-api-key');
  });

  it('end at the limit', async () => {
    let hops = 0;
    const host = await listen((_request, response) => response.writeHead(302, { location: `/${++hops}` }).end());
    const client = clientFor(host);
    expect(await reasonOf(client.request(`http://${host}/`))).toBe('redirects');
    expect(hops).toBe(6);
    expect((await client.request(`http://${host}/`, { maxRedirects: 0 })).status).toBe(302);
  });

  it('of a POST are not followed', async () => {
    let asked = 0;
    const host = await listen((_request, response) => response.writeHead(307, { location: `/${++asked}` }).end());
    expect((await clientFor(host).request(`http://${host}/`, { method: 'POST', body: 'x' })).status).toBe(307);
    expect(asked).toBe(1);
  });
});

describe('an answer', () => {
  it.each([
    ['said', (bytes: Buffer) => ({ 'content-length': String(bytes.length) })],
    ['not said', () => ({ 'transfer-encoding': 'chunked' })],
  ])('that is too large is cut off, its size %s', async (_how, headers) => {
    const bytes = Buffer.alloc(3 * MEGABYTE);
    const host = await listen((_request, response) => response.writeHead(200, headers(bytes)).end(bytes));
    const read = async () => text((await clientFor(host).request(`http://${host}/`, { maxBytes: MEGABYTE })).body);
    expect(await reasonOf(read())).toBe('too_large');
  });

  it('that is a bomb is cut off by what it unpacks to, and takes no memory', async () => {
    const bomb = gzipSync(Buffer.alloc(256 * MEGABYTE), { level: 9 });
    expect(bomb.length).toBeLessThan(MEGABYTE);
    const host = await listen((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
    const before = process.memoryUsage().rss;
    const read = async () => {
      let size = 0;
      const { body } = await clientFor(host).request(`http://${host}/`, { maxBytes: 8 * MEGABYTE });
      for await (const chunk of body) size += (chunk as Buffer).length;
      return size;
    };
    expect(await reasonOf(read())).toBe('too_large');
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * MEGABYTE);
  });

  it.each(['gzip, gzip', 'compress', 'x'])('that is encoded as %s is not taken', async (encoding) => {
    const host = await listen((_request, response) => response.writeHead(200, { 'content-encoding': encoding }).end('x'));
    expect(await reasonOf(clientFor(host).request(`http://${host}/`))).toBe('answer');
  });

  it('that is not what its encoding says fails, and so does one that ends early', async () => {
    const host = await listen((request, response) => {
      if (request.url === '/plain') return response.writeHead(200, { 'content-encoding': 'gzip' }).end('plain');
      response.writeHead(200, { 'content-length': '100' }).write('x', () => response.destroy());
    });
    const client = clientFor(host);
    for (const path of ['plain', 'early']) {
      expect(await reasonOf(client.request(`http://${host}/${path}`).then(({ body }) => text(body)))).toBe('answer');
    }
  });

  it('that drips takes no longer than it may', async () => {
    const host = await listenRaw((send, isOpen) => {
      send('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n');
      const drip = setInterval(() => (isOpen() ? send('x') : clearInterval(drip)), 50);
    });
    const started = performance.now();
    const { body } = await clientFor(host).request(`http://${host}/`, { totalMs: 600 });
    expect(await reasonOf(text(body))).toBe('timeout');
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it.each([
    ['never come', () => undefined],
    ['drip', (send: (bytes: string) => boolean, isOpen: () => boolean) => {
      send('HTTP/1.1 200 OK\r\n');
      const drip = setInterval(() => (isOpen() ? send('x-a: b\r\n') : clearInterval(drip)), 50);
    }],
  ])('whose headers %s is not waited for', async (_how, write) => {
    const host = await listenRaw(write);
    expect(await reasonOf(clientFor(host).request(`http://${host}/`, { totalMs: 700 }))).toBe('timeout');
  });

  it.each([
    ['one', `x-a: ${'b'.repeat(200_000)}\r\n`],
    ['many', Array.from({ length: 20_000 }, (_, i) => `x-${i}: b\r\n`).join('')],
  ])('with headers without end, in %s, is cut off', async (_how, headers) => {
    const host = await listenRaw((send) => send(`HTTP/1.1 200 OK\r\n${headers}\r\n`));
    expect(await reasonOf(clientFor(host).request(`http://${host}/`))).toBe('too_large');
  });

  it.each(['SSH-2.0-OpenSSH_9.9\r\n', '-ERR unknown command\r\n', '\0\0\0\0', 'HTTP/9.9 OK\r\n\r\n'])(
    'that is no HTTP (%p) is told as any other failure',
    async (banner) => {
      const host = await listenRaw((send) => send(banner));
      const failure = await clientFor(host).request(`http://${host}/`, { totalMs: 2_000 }).catch((error: unknown) => error);
      expect(String(failure)).toMatch(/could not be reached|did not answer in time/);
    },
  );
});

it('tells nothing of what a closed port said', async () => {
  const failure = await clientFor('127.0.0.1:9').request('http://127.0.0.1:9/').catch((error: unknown) => error);
  expect(failure).toMatchObject({ reason: 'unreachable', permanent: false, message: 'The host could not be reached' });
});

it('stops when its caller does, with the reason of that', async () => {
  const host = await listenRaw(() => undefined);
  const caller = new AbortController();
  const asked = clientFor(host).request(`http://${host}/`, { signal: caller.signal });
  const reason = new Error('cancelled');
  setTimeout(() => caller.abort(reason), 50);
  expect(await reasonOf(asked)).toBe(reason);
});

it('keeps nothing open of an answer that was not read', async () => {
  let server: Server | undefined;
  const host = await listen((request, response) => {
    server ??= (request.socket as unknown as { server: Server }).server;
    response.end(Buffer.alloc(4 * MEGABYTE));
  });
  const { body } = await clientFor(host).request(`http://${host}/`);
  body.destroy();
  await sleep(100);
  const connections = await new Promise((resolve) => server?.getConnections((_error, count) => resolve(count)));
  expect(connections).toBe(0);
});
