import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { followEvents, pauseAfter, type StreamMessage } from './event-stream.js';
import { Failure } from './failure.js';

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

const eventText = (id: number | null, event: string) => `${id === null ? '' : `id: ${id}\n`}event: ${event}\ndata: {"n":${id}}\n\n`;
const stream = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' });

describe('a followed stream', () => {
  let server: Server;
  let url: string;
  let answers: Answer[];
  /** `Last-Event-ID` of each request. */
  let places: Array<string | undefined>;

  beforeEach(async () => {
    places = [];
    server = createServer((request, response) => {
      places.push(request.headers['last-event-id'] as string | undefined);
      const answer = answers.shift();
      if (answer) answer(response, request);
      else response.writeHead(204).end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  async function follow(signal = new AbortController().signal) {
    const received: StreamMessage[] = [];
    const states: boolean[] = [];
    const listener = { onMessage: (message: StreamMessage) => received.push(message), onConnected: (is: boolean) => states.push(is) };
    await followEvents(url, listener, signal);
    return { received, ids: received.map(({ id }) => id), states };
  }

  it('goes on after the last event that came, however it was lost, until there is nothing more', async () => {
    answers = [
      (response) => stream(response).end(eventText(1, 'snapshot') + eventText(2, 'node_started')),
      (response) => {
        // In the midst of an event: the part that came counts for nothing.
        stream(response).write(`${eventText(3, 'node_completed')}${eventText(null, 'node_progress')}id: 4\nevent: ima`);
        setTimeout(() => response.destroy(), 50);
      },
      (response) => response.writeHead(503).end('{"success":false,"data":null,"error":"Closing","code":"SERVICE_UNAVAILABLE"}'),
      (response) => response.destroy(),
      (response) => stream(response).end(eventText(4, 'image_generated') + eventText(5, 'job_completed')),
    ];
    const { ids, states } = await follow();
    expect(ids).toEqual(['1', '2', '3', undefined, '4', '5']);
    expect(places).toEqual([undefined, '2', '3', '3', '3', '5']);
    expect(states.filter(Boolean)).toHaveLength(3);
  }, 20_000);

  it('ends with the refusal of an API that says no', async () => {
    answers = [(response) =>
      response.writeHead(404).end('{"success":false,"data":null,"error":"Job not found","code":"JOB_NOT_FOUND"}')];
    await expect(follow()).rejects.toEqual(expect.any(Failure));
    expect(places).toHaveLength(1);
  });

  it('ends when nobody looks any more', async () => {
    answers = [(response) => stream(response).write(eventText(1, 'snapshot'))];
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 200);
    expect((await follow(controller.signal)).ids).toEqual(['1']);
  });

  it('waits longer after each failure, up to a limit', () => {
    const pauses = [0, 1, 2, 3, 10].map((failures) => pauseAfter(failures, 0.5));
    expect(pauses).toEqual([250, 500, 1_000, 2_000, 8_000]);
    expect(pauseAfter(10, 1)).toBeLessThanOrEqual(10_000);
  });
});
