import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { given, serveBench } from '../child.js';

/*
 * What telling of events costs with nothing but the libraries: one Redis subscription, and each event
 * written to whoever listens to its job. It asks nobody who they are and never looks whether they read.
 */
interface Message {
  jobId: string;
  events: Array<{ seq: number; type: string }>;
}

const listeners = new Map<string, Set<ServerResponse>>();
const redis = new Redis(given('REDIS_URL'));
redis.on('message', (_channel: string, text: string) => {
  const { jobId, events } = JSON.parse(text) as Message;
  for (const event of events) {
    const piece = `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
    for (const response of listeners.get(jobId) ?? []) response.write(piece);
  }
});
await redis.subscribe(given('CHANNEL'));

const server = createServer((request, response) => {
  const jobId = request.url?.split('/')[2] ?? '';
  const all = listeners.get(jobId) ?? new Set();
  listeners.set(jobId, all.add(response));
  response.on('close', () => all.delete(response));
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.write('retry: 3000\n\n');
});
server.listen(0, '127.0.0.1', () => {
  serveBench(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
