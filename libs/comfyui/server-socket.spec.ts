import { randomUUID } from 'node:crypto';
import { imageGraph, shownBy } from '../../test/factories/comfy-graphs.js';
import { ComfyStandIn } from '../../test/setup/comfyui/stand-in.js';
import { eventually } from '../../test/setup/eventually.js';
import { ComfyServer } from './comfy-server.js';
import type { Graph } from './graph.js';
import { PromptProgress, type Progress } from './prompt-progress.js';
import { serverAddress } from './server-address.js';
import { readImage, readMessage, type ServerMessage } from './socket-message.js';

const TIMES = { answerMs: 2_000, sockets: { pingMs: 10_000, idleMs: 60_000 } };
const HASTY = { answerMs: 2_000, sockets: { pingMs: 300, idleMs: 200 } };

describe('the websocket of a server', () => {
  let standIn: ComfyStandIn;
  let server: ComfyServer;
  let hasty: ComfyServer;

  beforeEach(async () => {
    standIn = await ComfyStandIn.start();
    server = new ComfyServer(serverAddress(standIn.url), TIMES);
    hasty = new ComfyServer(serverAddress(standIn.url), HASTY);
  });
  afterEach(async () => {
    await server.close();
    await hasty.close();
    await standIn.close();
  });

  /** Sends a graph and notes all that is heard of it. */
  async function heard(graph: Graph, by = server) {
    const notes = { id: randomUUID(), clientId: '', messages: [] as ServerMessage[], images: [] as string[], deaf: 0 };
    const ear = await by.socket.listen(notes.id, {
      hear: (message) => void notes.messages.push(message),
      image: (node, bytes) => void notes.images.push(`${node} ${bytes.subarray(1, 4).toString()}`),
      deaf: () => void notes.deaf++,
    });
    notes.clientId = ear.clientId;
    await by.submit(graph, notes.id, ear.clientId);
    return notes;
  }
  const isOver = ({ messages }: { messages: ServerMessage[] }) => {
    const last = messages.at(-1);
    return last?.type === 'executing' && last.node === null;
  };

  it('tells each prompt its own messages, to the end, over one connection', async () => {
    const [one, other] = [await heard(imageGraph(0.1)), await heard(imageGraph())];
    await eventually(() => expect([one, other].every(isOver)).toBe(true));
    for (const { id, messages } of [one, other]) {
      expect(new Set(messages.map(({ promptId }) => promptId))).toEqual(new Set([id]));
      expect(await server.state(id)).toMatchObject({ kind: 'done' });
    }
    expect(one.clientId).toBe(other.clientId);
    expect(standIn.listeners).toBe(1);
  });

  it('does not hear of prompts without a client, which are told to everybody', async () => {
    const mine = await heard(imageGraph(0.1));
    const graph = imageGraph();
    await fetch(`${standIn.url}/prompt`, { method: 'POST', body: JSON.stringify({ prompt: graph }) });
    await eventually(() => expect(standIn.executor.history.size).toBe(2));
    expect(mine.messages.every(({ promptId }) => promptId === mine.id)).toBe(true);
  });

  it('brings images, with the node that they are of', async () => {
    const notes = await heard(shownBy('SaveImageWebsocket'));
    await eventually(() => expect(isOver(notes)).toBe(true));
    expect(notes.images).toEqual(['2 PNG']);
  });

  it('tells its prompts that it broke, and is another client from then on', async () => {
    const notes = await heard(imageGraph(0.3));
    standIn.cutSockets();
    await eventually(() => expect(notes.deaf).toBe(1));
    const next = await heard(imageGraph());
    expect(next.clientId).not.toBe(notes.clientId);
    await eventually(() => expect(isOver(next)).toBe(true));
    expect(await server.state(notes.id)).toMatchObject({ kind: 'done' });
  });

  it('is given up when nobody answers at its other end', async () => {
    const notes = await heard(imageGraph(5), hasty);
    standIn.halfOpen = true;
    await eventually(() => expect(notes.deaf).toBe(1));
    expect(await server.state(notes.id)).toEqual({ kind: 'running' });
  });

  it('is closed when no prompt needs it any more', async () => {
    await heard(imageGraph(), hasty);
    await eventually(() => expect(standIn.listeners).toBe(0));
  });

  it('is no wait without an end', async () => {
    standIn.silent = true;
    await expect(server.socket.listen('x', { hear: () => undefined })).rejects.toThrow();
  });
});

describe('progress', () => {
  const graph = { 1: { class_type: 'A', inputs: {} }, 2: { class_type: 'B', inputs: {}, _meta: { title: 'Paint' } } };
  const say = (type: string, data: object) => readMessage(JSON.stringify({ type, data: { prompt_id: 'p', ...data } }));
  const told = (...messages: Array<ServerMessage | undefined>) => {
    const progress = new PromptProgress(graph);
    return messages.map((message) => progress.hear(message!)).filter((one): one is Progress => one !== undefined);
  };

  it('counts each node alike, with floats, and by the name its author gave', () => {
    const fractions = told(
      say('executing', { node: '1' }), say('executing', { node: '2' }),
      say('progress', { node: '2', value: 0.15, max: 0.3 }), say('executing', { node: null }),
    );
    expect(fractions).toEqual([
      { fraction: 0, message: 'A' }, { fraction: 0.5, message: 'Paint' }, { fraction: 0.75, message: 'Paint' },
    ]);
  });

  it('reads what newer servers say of all nodes at once, and never goes back', () => {
    const state = (one: number, two: number) => say('progress_state', {
      nodes: { 1: { value: one, max: 4, state: 'running' }, 2: { value: two, max: 4, state: two === 4 ? 'finished' : 'running' } },
    });
    const fractions = told(say('executing', { node: '1' }), state(2, 0), state(1, 0), state(4, 4)).map((one) => one.fraction);
    expect(fractions).toEqual([0, 0.25, 0.25, 1]);
  });

  it('takes cached nodes for done, and nodes of other graphs for nothing', () => {
    const heard = told(
      say('execution_cached', { nodes: ['1', '9'] }), say('executing', { node: '2' }), say('progress', { node: '9', value: 1, max: 1 }),
      say('progress', { node: '2', value: 1, max: 0 }), say('progress', { node: '2', value: 'x', max: null }),
      say('progress_state', { nodes: { 2: null } }),
    );
    expect(heard.at(-1)).toEqual({ fraction: 1, message: 'Paint' });
  });

  it('is not disturbed by what is no message', () => {
    const odd = ['', 'no', '1', 'null', '[]', '{"type":"executing"}', '{"type":"executing","data":{"node":"2"}}',
      '{"type":"status","data":{"status":{}}}', '{"type":"progress_state","data":{"prompt_id":"p","nodes":[]}}'];
    expect(odd.map(readMessage)).toEqual(odd.map(() => undefined));
  });
});

it('reads images with and without metadata', () => {
  const frame = (event: number, second: number, rest: string) => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(event, 0);
    head.writeUInt32BE(second, 4);
    return readImage(Buffer.concat([head, Buffer.from(rest)]))?.bytes.toString();
  };
  expect(frame(1, 2, 'png')).toBe('png');
  expect(frame(4, 2, '{}png')).toBe('png');
  expect(frame(3, 1, '2text')).toBeUndefined();
  expect(frame(1, 2, '')).toBeUndefined();
});
