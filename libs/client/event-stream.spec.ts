import { once } from 'node:events';
import { cutOff, failure, ScriptedServer, type Answer } from '../../test/setup/scripted-server.js';
import { Platen, type StreamOptions } from './index.js';

let server: ScriptedServer;

beforeEach(async () => {
  server = await new ScriptedServer().start();
});
afterEach(() => server.stop());

const watch = (options?: StreamOptions) => new Platen({ url: server.url, token: 'secret' }).watch('7', options);

describe('a stream', () => {
  const stream = (...texts: string[]): Answer => (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const text of texts) response.write(text);
  };
  const ended = (...texts: string[]): Answer => (request, response) => {
    stream(...texts)(request, response);
    response.end();
  };
  const broken = (...texts: string[]): Answer => (request, response) => {
    stream(...texts)(request, response);
    setTimeout(() => request.socket.destroy(), 20);
  };
  const event = (id: number, type: string) => `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify({ seq: id, type })}\n\n`;
  const SNAPSHOT = 'retry: 3000\n\nid: 1\nevent: snapshot\ndata: {"status":"processing"}\n\n';
  const PROGRESS = 'event: node_progress\ndata: {"progress":40}\n\n';

  const seen = async (work: AsyncIterable<{ type: string; id?: string }>) => {
    const types: string[] = [];
    for await (const { type, id } of work) types.push(`${id ?? '-'} ${type}`);
    return types;
  };

  it('goes on behind the last event when it breaks, in the middle of one too, and ends with the job', async () => {
    server.answers = [
      broken(SNAPSHOT, event(2, 'job_started'), PROGRESS, event(3, 'node_started').slice(0, 12)),
      cutOff,
      failure(503, 'SERVICE_UNAVAILABLE', { 'retry-after': '0' }),
      ended(event(3, 'node_started'), event(4, 'job_completed')),
      stream(),
    ];
    const connected: boolean[] = [];
    expect(await seen(watch({ onConnected: (is) => connected.push(is) }))).toEqual([
      '1 snapshot', '2 job_started', '- node_progress', '3 node_started', '4 job_completed',
    ]);
    expect(connected).toEqual([true, false, true]);
    expect(server.requests.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '2', '2', '2']);
  });

  it('of a job that was resumed goes on behind its first end', async () => {
    server.answers = [ended(event(4, 'job_failed'), event(5, 'job_resumed')), ended(event(6, 'job_completed'))];
    expect(await seen(watch({ after: 3 }))).toEqual(['4 job_failed', '5 job_resumed', '6 job_completed']);
    expect(server.requests.map(({ headers }) => headers['last-event-id'])).toEqual(['3', '5']);
  });

  it('of a job that has ended is over at once', async () => {
    server.answers = [ended('id: 9\nevent: snapshot\ndata: {"status":"failed"}\n\n')];
    expect(await seen(watch())).toEqual(['9 snapshot']);
    server.answers = [(_request, response) => response.writeHead(204).end()];
    expect(await seen(watch({ after: 9 }))).toEqual([]);
  });

  it('is none when something else answers', async () => {
    server.answers = [(_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')];
    await expect(seen(watch())).rejects.toMatchObject({ code: 'NOT_PLATEN', status: 200 });
    server.answers = [stream('id: 1\nevent: snapshot\ndata: <html>\n\n')];
    await expect(seen(watch())).rejects.toMatchObject({ code: 'NOT_PLATEN' });
  });

  it('says why it cannot be opened, and gives up on a server that stays away', async () => {
    server.answers = [failure(404, 'JOB_NOT_FOUND')];
    await expect(seen(watch())).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
    server.answers = [cutOff];
    await expect(seen(watch({ patienceMs: 900 }))).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });

  it('does not hurry a server that asks for a month', async () => {
    server.answers = [failure(503, 'SERVICE_UNAVAILABLE', { 'retry-after': String(30 * 86_400) })];
    const watching = seen(watch({ patienceMs: Infinity, signal: AbortSignal.timeout(200) }));
    await expect(watching).rejects.toThrow('timeout');
    expect(server.requests).toHaveLength(1);
  });

  it('ends when it is told to, and leaves no connection when its reader leaves', async () => {
    let closed = Promise.resolve<unknown>(undefined);
    server.answers = [(request, response) => {
      closed = once(request.socket, 'close');
      stream(SNAPSHOT)(request, response);
    }];
    for await (const { type } of watch()) {
      expect(type).toBe('snapshot');
      break;
    }
    await closed;
    const stop = new AbortController();
    const reading = seen(watch({ signal: stop.signal }));
    setTimeout(() => stop.abort(new Error('enough')), 50);
    await expect(reading).rejects.toThrow('enough');
  });
});
