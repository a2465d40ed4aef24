import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { WebSocketServer, type WebSocket } from 'ws';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { eventually } from '../../test/setup/eventually.js';
import { EmpropsServiceQueue } from './emprops.service-queue.js';
import type { ServiceJob } from './service-queue.js';

/** As much of the origin's queue as is spoken with. */
class Origin {
  readonly jobs: JsonObject[] = [];
  readonly said: JsonObject[] = [];
  losesAnswers = false;
  sockets = new Set<WebSocket>();
  private constructor(readonly server: Server) {}

  static async start(): Promise<Origin> {
    const server = createServer((request, response) => void origin.answer(request, response));
    const origin = new Origin(server);
    new WebSocketServer({ server }).on('connection', (socket, request) => {
      if (!request.url?.startsWith('/ws/client/')) return socket.close();
      origin.sockets.add(socket);
      socket.on('message', (data) => origin.said.push(JSON.parse(String(data)) as JsonObject));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return origin;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  tell(message: JsonObject): void {
    for (const socket of this.sockets) socket.send(JSON.stringify(message));
  }

  close(): void {
    for (const socket of this.sockets) socket.terminate();
    this.server.close().closeAllConnections();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, id] = /^\/api\/jobs\/([\w-]+)$/.exec(request.url ?? '') ?? [];
    const send = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body));
    if (request.method === 'POST') {
      const job = { id: randomUUID(), status: 'queued', ...(await json(request) as JsonObject) };
      this.jobs.unshift(job);
      return void (this.losesAnswers ? response.destroy() : send(201, { success: true, job_id: job.id }));
    }
    if (id === undefined) return void send(200, { success: true, jobs: this.jobs });
    const job = this.jobs.find((each) => each['id'] === id);
    send(job ? 200 : 404, job ? { success: true, job } : { success: false });
  }
}

describe("the origin's queue", () => {
  let origin: Origin;
  let queue: EmpropsServiceQueue;
  const heard: unknown[] = [];
  const listener = { progress: (fraction: number) => heard.push(fraction), ended: () => heard.push('ended') };
  const job = (): ServiceJob => ({
    token: randomUUID(), service: 'comfy', payload: { prompt: 'a fox' }, requirements: null, priority: 70, userId: 'u', generationId: 'g',
  });

  beforeEach(async () => {
    origin = await Origin.start();
    queue = new EmpropsServiceQueue(`${origin.url}/`);
    heard.length = 0;
  });
  afterEach(async () => {
    await queue.close();
    origin.close();
  });

  it('takes a job with its token, and gives its result', async () => {
    const asked = job();
    const reference = await queue.add(asked, listener);
    const [kept] = origin.jobs as [JsonObject];
    expect(kept).toMatchObject({
      service_required: 'comfy', payload: { prompt: 'a fox' }, priority: 70, requirements: {}, customer_id: 'u', max_retries: 0,
      ctx: { platen_token: asked.token },
    });
    expect(await queue.look(reference)).toMatchObject({ state: 'waiting' });
    Object.assign(kept, { status: 'completed', result: { status: 'success', data: { text: 'done' } } });
    expect(await queue.look(reference)).toEqual({ state: 'completed', progress: null, result: { text: 'done' }, reason: null });
  });

  it.each([
    ['in_progress', 'running'], ['failed', 'failed'], ['cancelled', 'failed'], ['timeout', 'failed'], ['unworkable', 'failed'],
    ['accepted', 'waiting'], ['preempted', 'waiting'],
  ])('reads %s as %s', async (status, state) => {
    const reference = await queue.add(job(), listener);
    Object.assign(origin.jobs[0] as JsonObject, { status, progress: 30, error: 'why' });
    expect(await queue.look(reference)).toMatchObject({ state, progress: 0.3, reason: state === 'failed' ? 'why' : null });
  });

  it('takes a completed job whose result says that it failed for a failed one, and an unknown one for lost', async () => {
    const reference = await queue.add(job(), listener);
    Object.assign(origin.jobs[0] as JsonObject, { status: 'completed', result: { status: 'failed', error: 'no paint' } });
    expect(await queue.look(reference)).toMatchObject({ state: 'failed', reason: 'no paint' });
    expect(await queue.look({ service: 'comfy', id: 'nobody' })).toMatchObject({ state: 'lost' });
  });

  it('finds a job whose answer was lost', async () => {
    origin.losesAnswers = true;
    const asked = job();
    await expect(queue.add(asked, listener)).rejects.toThrow('cannot be reached');
    expect(await queue.find('comfy', asked.token)).toEqual({ service: 'comfy', id: origin.jobs[0]?.['id'] });
    expect(await queue.find('comfy', randomUUID())).toBeNull();
  });

  it('hears of progress and of the end, also after its connection was lost', async () => {
    const { id } = await queue.add(job(), listener);
    const subscribed = () => origin.said.filter(({ type, job_id }) => type === 'subscribe_progress' && job_id === id).length;
    await eventually(() => expect(subscribed()).toBe(1));
    origin.tell({ type: 'update_job_progress', job_id: id, progress: 40 });
    await eventually(() => expect(heard).toEqual([0.4]));
    for (const socket of origin.sockets) socket.terminate();
    origin.sockets.clear();
    await eventually(() => expect(subscribed()).toBe(2), 6_000);
    origin.tell({ type: 'complete_job', job_id: id, worker_id: 'w', result: { status: 'success' } });
    await eventually(() => expect(heard).toEqual([0.4, 'ended']));
  });

  it('cancels a job', async () => {
    const reference = await queue.add(job(), listener);
    await queue.cancel(reference);
    await eventually(() => expect(origin.said).toContainEqual(expect.objectContaining({ type: 'cancel_job', job_id: reference.id })));
  });
});
