import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { startTestApi } from '../../test/setup/api.js';

/** A request that has begun and whose body never ends. */
async function neverEndingRequest(url: string, headers: { authorization: string }): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(
    `POST /projects HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: ${headers.authorization}\r\n` +
      'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
  );
  return socket;
}

describe('the API that is told to stop', () => {
  it('waits for a request under way no longer than it may', async () => {
    const api = await startTestApi({ SHUTDOWN_GRACE_MS: '500' });
    const socket = await neverEndingRequest(api.url, api.as('0193fd6c-0000-7000-8000-000000000001'));
    const cutOff = once(socket.resume(), 'close');
    // Answered on another connection, so the request before it has arrived.
    expect((await fetch(`${api.url}/health/live`)).status).toBe(200);
    const began = Date.now();
    await api.close();
    expect(Date.now() - began).toBeGreaterThanOrEqual(450);
    await cutOff;
  });

  it('stops at once when nothing is under way', async () => {
    const api = await startTestApi();
    await fetch(`${api.url}/health/live`);
    const began = Date.now();
    await api.close();
    expect(Date.now() - began).toBeLessThan(5_000);
  });
});
