import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { fetchApiNode } from '#libs/nodes/fetch-api.node.js';
import type { NodeContext, NodeDefinition } from '#libs/nodes/node.js';
import { OutboundClient } from '#libs/outbound/outbound-client.js';
import { QuickJsSandbox } from '#libs/sandbox/quickjs/quickjs-sandbox.js';
import { fetchApiKind } from '#libs/workflows/kinds/fetch-api.kind.js';
import { HOSTILE_FORMS, HOSTILE_HOSTS, HOSTILE_NAMES, hostileResolve } from '../../test/factories/hostile-urls.js';
import { kindNode } from '../../test/factories/kind-node.js';
import { ApiServer } from '../../test/setup/api-server.js';

/** Of the lists, as this spec has three uses for each: one of a few, and those of a kind of their own. */
const some = HOSTILE_HOSTS.filter((host, index) => index % 4 === 0 || /[%[]|169\.254/.test(host));
const BY_ANSWER = [...some, ...Object.keys(HOSTILE_NAMES)];

describe('a call of an API', () => {
  let sink: Server;
  let contacts = 0;
  let port: number;
  let server: ApiServer;
  let client: OutboundClient;
  let scripts: QuickJsSandbox;
  let node: NodeDefinition;

  beforeAll(async () => {
    sink = createServer((socket) => {
      contacts++;
      socket.on('error', () => undefined).end('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret');
    }).listen(0);
    await once(sink, 'listening');
    port = (sink.address() as AddressInfo).port;
    server = await ApiServer.start();
    // Every port may be asked, so that nothing but the host can stop it.
    client = new OutboundClient({ allowedHosts: [server.host], ports: [port], resolve: hostileResolve });
    scripts = new QuickJsSandbox(2);
    node = kindNode('api', fetchApiKind, fetchApiNode(scripts, client, 'https://platen.test'));
  });
  beforeEach(() => server.reset(() => [200, {}]));
  afterEach(() => expect(contacts).toBe(0));
  afterAll(async () => {
    await scripts.close();
    await client.close();
    server.close();
    sink.close();
  });

  const context = (api: JsonObject, outputType = 'image/png') => ({
    payload: { data: { api }, outputType }, edition: {}, hash: 'oo1', token: 't', signal: AbortSignal.timeout(10_000), log: () => undefined,
  }) as unknown as NodeContext;
  const failure = (work: Promise<unknown>): Promise<unknown> => work.then((outcome) => outcome, (error: unknown) => error);
  const PERMANENT = { name: 'NodeError', permanent: true };

  it.each([...HOSTILE_HOSTS, ...Object.keys(HOSTILE_NAMES)])('does not reach %s', async (host) => {
    for (const scheme of ['http', 'https']) {
      const api = { url: `${scheme}://${host}:${port}/secret`, method: 'POST' };
      expect(await failure(node.run(context(api)))).toMatchObject({ ...PERMANENT, code: 'INVALID_URL' });
    }
  });

  it.each(HOSTILE_FORMS)('is not made in the form %p', async (url) => {
    expect(await failure(node.run(context({ url, method: 'GET' })))).toMatchObject(PERMANENT);
  });

  it.each(BY_ANSWER)('is not led to %s by a redirect, a file or a next URL', async (host) => {
    const url = `http://${host}:${port}/secret`;
    server.reset(({ path }) => (path === '/redirect' ? [302, '', { location: Buffer.from(url).toString('latin1') }] : [200, { url }]));
    const redirected = { url: `${server.url}/redirect`, method: 'GET' };
    expect(await failure(node.run(context(redirected)))).toMatchObject(PERMANENT);
    const file = { url: server.url, method: 'GET', response: { outputExprJq: '.url' } };
    expect(await failure(node.run(context(file)))).toMatchObject(PERMANENT);
    const polling = { url: server.url, method: 'GET', fetchType: 'polling', polling: { url: '{url}', params: { url: { exprJq: '.url' } } } };
    const waiting = await node.run(context(polling));
    expect(waiting.kind).toBe('waiting');
    const { reference } = waiting as { reference: JsonObject };
    expect(await failure(node.poll!(context(polling), reference))).toMatchObject(PERMANENT);
  });
});
