import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { hostileFiles } from '../factories/hostile-files.js';
import { startTestApi, type TestApi } from '../setup/api.js';
import { eventually } from '../setup/eventually.js';
import { call, outcomeOf } from './calls.js';
import { envelopeFaults } from './envelope.js';

const MEGABYTE = 1024 ** 2;
const CAP = 3 * MEGABYTE;
const STATUS = { 'too large': '413 PAYLOAD_TOO_LARGE', 'wrong type': '415 UNSUPPORTED_MEDIA_TYPE', 'drawn anew': '201' };

let api: TestApi;
let authorization: string;
const sockets = new Set<Socket>();

beforeAll(async () => {
  api = await startTestApi({ MAX_ASSET_BYTES: String(CAP), LOG_LEVEL: 'silent' });
  ({ authorization } = api.as(randomUUID()));
});
afterEach(() => sockets.forEach((socket) => socket.destroy()));
afterAll(() => api.close());

const spooled = () => readdir(join(api.home, 'spool')).catch(() => []);

/** A connection on which anything can be said. `answer` is what came back until it was closed, or so far. */
async function open(...lines: string[]): Promise<{ socket: Socket; answer: () => string; closed: Promise<unknown> }> {
  const { hostname, port } = new URL(api.url);
  const socket = connect(Number(port), hostname).on('error', () => undefined);
  sockets.add(socket);
  let answer = '';
  socket.on('data', (bytes) => (answer += String(bytes)));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await once(socket, 'connect');
  socket.write([...lines, '', ''].join('\r\n'));
  return { socket, answer: () => answer, closed };
}

const post = (path: string, ...headers: string[]) =>
  open(`POST ${path} HTTP/1.1`, 'Host: a', `Authorization: ${authorization}`, ...headers);

/** Sends for as long as the other side takes it, and no longer than it should. */
async function sendForEver(socket: Socket, text: string, limitMs = 30_000): Promise<void> {
  const end = Date.now() + limitMs;
  // Bytes once, for a text would be made into new ones, in this process, whose memory is measured, for each write.
  const chunk = Buffer.from(text);
  while (socket.writable && Date.now() < end) {
    if (!socket.write(chunk)) await sleep(1);
  }
  socket.destroy();
}

const rss = () => process.memoryUsage().rss;

/** Who goes on sending when the connection is reset may lose the answer that was on its way. */
const REFUSED_OR_RESET = /^(HTTP\/1\.1 413 .*"code":"PAYLOAD_TOO_LARGE".*)?$/s;

describe('an upload', () => {
  it('of anything that unpacks to far more, or is not what it seems, is refused or drawn anew', async () => {
    const before = rss();
    for (const { name, bytes, fate } of hostileFiles()) {
      const body = new FormData();
      body.append('file', new Blob([Uint8Array.from(bytes)], { type: 'image/png' }), name);
      const answer = await call(`${api.url}/assets`, { method: 'POST', headers: { authorization }, body });
      expect({ name, outcome: outcomeOf(answer) }).toEqual({ name, outcome: STATUS[fate] });
      expect(envelopeFaults(answer)).toEqual([]);
      const { mime_type = 'image/', size = 0 } = (answer.json?.data ?? {}) as unknown as { mime_type?: string; size?: number };
      // What is kept is the picture alone.
      expect({ name, isImage: mime_type.startsWith('image/'), isSmall: size < 5_000 }).toEqual({ name, isImage: true, isSmall: true });
    }
    expect(rss() - before).toBeLessThan(400 * MEGABYTE);
    expect(await spooled()).toEqual([]);
  }, 60_000);

  it('without end is refused once it is too large, and soon not even listened to', async () => {
    const before = rss();
    const { socket, answer, closed } = await post('/assets', 'Content-Type: multipart/form-data; boundary=X', 'Transfer-Encoding: chunked');
    const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
    socket.write(chunk('--X\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'));
    const started = Date.now();
    await sendForEver(socket, chunk('x'.repeat(64 * 1024)));
    await closed;
    expect(answer()).toMatch(REFUSED_OR_RESET);
    expect(Date.now() - started).toBeLessThan(20_000);
    // Sender and receiver are one process here, with the garbage of both; upload-memory.spec.ts measures an API alone.
    expect(rss() - before).toBeLessThan(400 * MEGABYTE);
    await eventually(async () => expect(await spooled()).toEqual([]));
  }, 60_000);
});

describe('a JSON body', () => {
  it('of 200 MB is refused before it comes', async () => {
    const { answer } = await post('/projects', 'Content-Type: application/json', `Content-Length: ${200 * MEGABYTE}`);
    await eventually(async () => expect(answer()).toMatch(/^HTTP\/1\.1 413 .*"code":"PAYLOAD_TOO_LARGE"/s));
  });

  it('without end is refused, and soon not even listened to', async () => {
    const before = rss();
    const { socket, answer, closed } = await post('/projects', 'Content-Type: application/json', 'Transfer-Encoding: chunked');
    await sendForEver(socket, `10000\r\n${' '.repeat(64 * 1024)}\r\n`);
    await closed;
    expect(answer()).toMatch(REFUSED_OR_RESET);
    expect(rss() - before).toBeLessThan(64 * MEGABYTE);
  }, 60_000);

  it.each([
    ['packed', { 'content-encoding': 'gzip' }, gzipSync('{"name": "x"}')],
    ['said to be packed', { 'content-encoding': 'gzip' }, Buffer.from('{')],
    ['a bomb', { 'content-encoding': 'gzip' }, gzipSync(Buffer.alloc(64 * MEGABYTE))],
    ['of another alphabet', { 'content-type': 'application/json; charset=utf-16' }, Buffer.from('{"name": "x"}', 'utf16le')],
    ['cut off in a character', {}, Buffer.from('7b226e616d65223a2022c3', 'hex')],
  ])('that is %s is refused', async (_what, headers, bytes) => {
    const response = await fetch(`${api.url}/projects`, {
      method: 'POST', headers: { authorization, 'content-type': 'application/json', ...headers }, body: Uint8Array.from(bytes),
    });
    expect([400, 413, 415]).toContain(response.status);
    expect(await response.json()).toMatchObject({ success: false, code: expect.any(String) });
  });

  it.each([
    ['no number', ['Content-Length: x']],
    ['negative', ['Content-Length: -1']],
    ['beyond numbers', [`Content-Length: ${'9'.repeat(40)}`]],
    ['said twice', ['Content-Length: 2', 'Content-Length: 3']],
    ['said beside chunks', ['Content-Length: 2', 'Transfer-Encoding: chunked']],
    ['of odd chunks', ['Transfer-Encoding: chunked', '', 'zz']],
    ['of a coding that is none', ['Transfer-Encoding: x']],
  ])('whose length is %s is no request', async (_what, lines) => {
    const { socket, answer, closed } = await post('/projects', 'Content-Type: application/json', ...lines);
    socket.write('{}');
    await closed;
    expect(answer()).toMatch(/^HTTP\/1\.1 4\d\d .*"success":false.*"code":"[A-Z_]+"/s);
  });

  it('that is longer than it says is followed by no other request', async () => {
    const { socket, answer, closed } = await post('/projects', 'Content-Type: application/json', 'Content-Length: 2');
    socket.write('{}GET /admin/queues HTTP/9\r\n\r\n');
    await closed;
    expect(new Set(answer().match(/HTTP\/1\.1 \d+/g))).toEqual(new Set(['HTTP/1.1 400']));
  });
});

it('slow clients keep nobody waiting', async () => {
  const before = rss();
  for (let i = 0; i < 25; i++) {
    await open('GET /credits HTTP/1.1', `X-Slow: ${i}`).then(({ socket }) => socket.write('X-More: '));
    await post('/projects', 'Content-Type: application/json', 'Content-Length: 1000').then(({ socket }) => socket.write('{'));
  }
  const started = performance.now();
  for (let i = 0; i < 20; i++) {
    expect(await call(`${api.url}/credits`, { headers: { authorization } })).toMatchObject({ status: 200 });
  }
  expect(performance.now() - started).toBeLessThan(10_000);
  expect(rss() - before).toBeLessThan(64 * MEGABYTE);
});
