import { once } from 'node:events';
import { createConnection, type AddressInfo, type Socket } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { answerInvalidHttp } from './invalid-http.js';

describe(answerInvalidHttp, () => {
  let server: FastifyInstance;

  beforeAll(async () => {
    const http = { headersTimeout: 100, connectionsCheckingInterval: 50 };
    server = Fastify({ clientErrorHandler: answerInvalidHttp, http });
    await server.listen({ host: '127.0.0.1', port: 0 });
  });
  afterAll(() => server.close());

  /** All that the server says on a connection on which `text` is sent. */
  async function saidTo(text: string): Promise<string> {
    const { port } = server.server.address() as AddressInfo;
    const socket: Socket = createConnection(port, '127.0.0.1').on('error', () => undefined);
    let said = '';
    socket.on('data', (piece) => (said += piece.toString()));
    socket.write(text);
    await once(socket, 'close');
    return said;
  }

  it.each([['what is no HTTP', 'no\r\n\r\n'], ['headers that do not end in time', 'GET / HTTP/1.1\r\nA: b']])(
    'refuses %s in the shape of every answer',
    async (_what, text) => {
      const said = await saidTo(text);
      expect(said).toMatch(/^HTTP\/1\.1 400 /);
      const body = said.slice(said.indexOf('\r\n\r\n'));
      expect(JSON.parse(body)).toMatchObject({ success: false, code: 'VALIDATION_ERROR' });
    },
  );

  it('says nothing on a connection that was opened ahead, when its time is over', async () => {
    expect(await saidTo('')).toBe('');
  });
});
