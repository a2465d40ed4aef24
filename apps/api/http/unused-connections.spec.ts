import { Agent, get } from 'node:http';
import { createConnection, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import Fastify from 'fastify';
import { closeUnusedConnections } from './unused-connections.js';

const ANSWER_MS = 200;

describe('closeUnusedConnections', () => {
  async function open() {
    const server = Fastify({ keepAliveTimeout: 20_000, forceCloseConnections: 'idle' });
    closeUnusedConnections(server);
    server.get('/', () => delay(ANSWER_MS, 'answer'));
    await server.listen({ host: '127.0.0.1', port: 0 });
    return { server, port: (server.server.address() as AddressInfo).port };
  }

  it('lets an answer under way end, and does not keep its connection for another request', async () => {
    const { server, port } = await open();
    const agent = new Agent({ keepAlive: true });
    const status = new Promise((resolve) => {
      get({ port, host: '127.0.0.1', agent }, (answer) => resolve(answer.resume().statusCode));
    });
    await delay(ANSWER_MS / 2);
    const began = Date.now();
    await server.close();
    expect(Date.now() - began).toBeLessThan(5_000);
    expect(await status).toBe(200);
    agent.destroy();
  });

  it('does not wait for a connection that never asked for anything', async () => {
    const { server, port } = await open();
    const socket = createConnection(port, '127.0.0.1').on('error', () => undefined);
    await new Promise((resolve) => socket.once('connect', resolve));
    await delay(50);
    const began = Date.now();
    await server.close();
    expect(Date.now() - began).toBeLessThan(5_000);
  });
});
