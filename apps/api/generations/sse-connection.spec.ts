import { once } from 'node:events';
import { createServer, ServerResponse, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { FastifyReply } from 'fastify';
import { eventually } from '../../../test/setup/eventually.js';
import { SseConnection } from './sse-connection.js';

/** As much of a reply as a stream takes over. */
const replyOf = (raw: ServerResponse) =>
  ({ raw, hijack: () => undefined, getHeaders: () => ({ 'x-request-id': 'r1' }) }) as unknown as FastifyReply;

describe(SseConnection.name, () => {
  let server: Server;
  let client: Socket;
  let received: string;

  beforeEach(async () => {
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    received = '';
  });
  afterEach(() => {
    client.destroy();
    server.close();
  });

  const open = async (stalledMs: number): Promise<SseConnection> => {
    client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.on('data', (chunk) => (received += String(chunk))).on('error', () => undefined);
    client.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
    const [, response] = (await once(server, 'request')) as [unknown, ServerResponse];
    return SseConnection.open(replyOf(response), stalledMs);
  };

  it('keeps the headers that hooks have set, and forbids proxies to transform or buffer', async () => {
    const connection = await open(1_000);
    await connection.send({ id: '7', event: 'node_completed', json: JSON.stringify({ text: 'two\nlines' }) });
    const text = 'id: 7\nevent: node_completed\ndata: {"text":"two\\nlines"}\n\n';
    await eventually(() => expect(received).toContain(text));
    expect(received).toMatch(/x-request-id: r1/i);
    expect(received).toMatch(/cache-control: .*no-transform/i);
    expect(received).toMatch(/x-accel-buffering: no/i);
    expect(received).toContain('retry: 3000\n\n');
  });

  it('writes what comes in one turn at once, whole and in order, also right before the end', async () => {
    const connection = await open(1_000);
    const write = jest.spyOn(ServerResponse.prototype, 'write');
    for (let id = 1; id <= 100; id++) void connection.send({ id: String(id), event: 'e', json: '1' });
    connection.end();
    await eventually(() => expect(received).toContain('id: 100\n'));
    expect(write).toHaveBeenCalledTimes(1);
    write.mockRestore();
    expect(received.match(/id: (\d+)/g)).toEqual(Array.from({ length: 100 }, (_, place) => `id: ${place + 1}`));
  });

  it('cuts off a client that takes nothing, having buffered little', async () => {
    const connection = await open(200);
    client.pause();
    const data = 'x'.repeat(100_000);
    let sent = 0;
    while (!connection.closed && sent < 1_000) {
      await connection.send({ event: 'node_completed', json: JSON.stringify(data) });
      sent += 1;
    }
    expect(connection.closed).toBe(true);
    // What the kernel's buffers take counts too.
    expect(sent).toBeLessThan(200);
  });

  it('waits for a client that is slow but reads', async () => {
    const connection = await open(1_000);
    const reading = setInterval(() => (client.isPaused() ? client.resume() : client.pause()), 5);
    for (let i = 0; i < 100; i++) await connection.send({ id: String(i), event: 'e', json: JSON.stringify('x'.repeat(100_000)) });
    clearInterval(reading);
    client.resume();
    expect(connection.closed).toBe(false);
    await eventually(() => expect(received).toContain('id: 99\n'));
  });

  it('tells when the client is gone, also to those who ask too late', async () => {
    const connection = await open(1_000);
    const told = jest.fn();
    connection.onClose(told);
    client.destroy();
    await eventually(() => expect(told).toHaveBeenCalledTimes(1));
    connection.onClose(told);
    expect(told).toHaveBeenCalledTimes(2);
    await connection.send({ event: 'e', json: '1' });
    expect(connection.closed).toBe(true);
  });

  it('cuts off a client that does not take the end', async () => {
    const connection = await open(10_000);
    client.pause();
    void connection.send({ event: 'e', json: JSON.stringify('x'.repeat(20_000_000)) });
    const closed = jest.fn();
    connection.onClose(closed);
    connection.end(100);
    await eventually(() => expect(closed).toHaveBeenCalled());
  });
});
