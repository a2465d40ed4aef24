import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  HOSTILE_FORMS as FORMS, HOSTILE_HOSTS as HOSTS, HOSTILE_NAMES as NAMES, hostileResolve as resolve,
} from '../../test/factories/hostile-urls.js';
import { OutboundClient } from './outbound-client.js';
import { OutboundError } from './outbound-error.js';

/** Listens on every address of this machine and counts who comes. */
let sink: Server;
let port: number;
let contacts = 0;

beforeAll(async () => {
  sink = createServer((socket) => {
    contacts++;
    socket.on('error', () => undefined).end('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret');
  }).listen(0);
  await once(sink, 'listening');
  port = (sink.address() as AddressInfo).port;
});
afterAll(() => sink.close());

const outcome = (client: OutboundClient, url: string) =>
  client.request(url, { totalMs: 5_000 }).then(({ body }) => (body.destroy(), 'answered'), (error: unknown) => error);

describe('a URL of a stranger', () => {
  let client: OutboundClient;
  beforeAll(() => {
    // Every port may be asked, so that nothing but the host can stop it.
    client = new OutboundClient({ ports: [port], resolve });
  });
  afterEach(() => expect(contacts).toBe(0));
  afterAll(() => client.close());

  it('is one of many', () => expect(HOSTS.length + Object.keys(NAMES).length + FORMS.length).toBeGreaterThan(120));

  it.each([...HOSTS, ...Object.keys(NAMES)])('leads nowhere with the host %s', async (host) => {
    for (const scheme of ['http', 'https']) {
      const error = await outcome(client, `${scheme}://${host}:${port}/secret`);
      expect(error).toBeInstanceOf(OutboundError);
      // Nothing tells a name that does not exist from one inside, or an open port from a closed one.
      expect((error as Error).message).toMatch(/^(The host of the URL has no public address|It is not an http\(s\) URL)$/);
    }
  });

  it.each(FORMS)('is not asked at all in the form %p', async (url) => {
    expect(await outcome(client, url)).toMatchObject({ name: 'OutboundError', reason: 'url', permanent: true });
  });

  it.each(['user@', 'user:password@', ':password@', '%00@'])('with %s before its host is not asked', async (userinfo) => {
    expect(await outcome(client, `http://${userinfo}127.0.0.1:${port}/`)).toMatchObject({ reason: 'url' });
  });

  it.each([1, 22, 25, 3306, 5432, 6379, 9200, 11211])('with the port %i is not asked', async (other) => {
    expect(await outcome(client, `http://127.0.0.1:${other}/`)).toMatchObject({ reason: 'url' });
  });
});

describe('a redirect', () => {
  it.each([
    ['http://127.0.0.2:PORT/', 'address'], ['http://[::1]:PORT/', 'address'], ['//localhost:PORT/', 'address'],
    ['http://169.254.169.254/latest/meta-data/', 'address'], ['http://0x7f.2:PORT/', 'address'], ['http://inside.test:PORT/', 'address'],
    ['file:///etc/passwd', 'url'], ['gopher://127.0.0.1:PORT/', 'url'], ['http://u:p@127.0.0.1:PORT/', 'url'],
    ['http://127.0.0.2:22/', 'url'], ['http://[', 'redirects'],
  ])('to %s is not followed', async (template, reason) => {
    contacts = 0;
    const location = template.replace('PORT', String(port));
    const answer = `HTTP/1.1 302 Found\r\nlocation: ${location}\r\ncontent-length: 0\r\n\r\n`;
    const redirecting = createServer((socket) => socket.on('error', () => undefined).end(answer)).listen(0, '127.0.0.1');
    await once(redirecting, 'listening');
    const own = (redirecting.address() as AddressInfo).port;
    const client = new OutboundClient({ allowedHosts: [`127.0.0.1:${own}`], ports: [port, 80], resolve });
    expect(await outcome(client, `http://127.0.0.1:${own}/`)).toMatchObject({ reason });
    expect(contacts).toBe(0);
    await client.close();
    redirecting.close();
  });
});
