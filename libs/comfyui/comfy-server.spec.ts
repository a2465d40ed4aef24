import { randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { failingGraph, halfGraph, imageGraph, node, shownBy } from '../../test/factories/comfy-graphs.js';
import { ComfyStandIn } from '../../test/setup/comfyui/stand-in.js';
import { eventually } from '../../test/setup/eventually.js';
import { PromptRefused, ServerUnreachable } from './comfy-error.js';
import { ComfyServer } from './comfy-server.js';
import type { Graph } from './graph.js';
import { outputFiles } from './prompt-outputs.js';
import { serverAddress } from './server-address.js';

const TIMES = { answerMs: 1_000, sockets: { pingMs: 10_000, idleMs: 60_000 } };

describe.each(['0.3.64', '0.33.0'] as const)('a ComfyUI server %s', (version) => {
  let standIn: ComfyStandIn;
  let server: ComfyServer;

  beforeAll(async () => {
    standIn = await ComfyStandIn.start({ version });
    server = new ComfyServer(serverAddress(standIn.url), TIMES);
  });
  afterAll(async () => {
    await server.close();
    await standIn.close();
  });

  const send = async (graph: Graph) => {
    const id = randomUUID();
    await server.submit(graph, id, 'client');
    return id;
  };
  const ends = async (id: string, kind: string) => {
    await eventually(async () => expect(await server.state(id)).toMatchObject({ kind }));
    return server.state(id);
  };
  const refusal = (graph: Graph) => send(graph).then(() => fail('It was taken'), (error: PromptRefused) => error);

  it('is asked once what it can do', async () => {
    expect(await server.features()).toEqual({
      version, prefix: '/api', hasJobs: version === '0.33.0', maxUploadBytes: 104_857_600,
    });
  });

  it('tells of a prompt from queue to history', async () => {
    const [first, second] = [await send(imageGraph(0.2)), await send(imageGraph())];
    expect(await server.state(first)).toEqual({ kind: 'running' });
    expect(await server.state(second)).toEqual({ kind: 'pending' });
    expect(await server.queueLength()).toBe(2);
    expect(await ends(first, 'done')).toMatchObject({ outputs: { 3: { images: [{ type: 'output' }] } } });
    await ends(second, 'done');
    expect(await server.state(randomUUID())).toEqual({ kind: 'unknown' });
  });

  it('says late in its history what has ended, and is not taken for one that lost it', async () => {
    standIn.executor.historyLagMs = 200;
    const id = await send(imageGraph());
    for (const kinds = new Set<string>(); !kinds.has('done'); kinds.add((await server.state(id)).kind)) {
      expect(kinds).not.toContain('unknown');
    }
    standIn.executor.historyLagMs = 0;
  });

  it('is looked for in history again when it has left the queue in between', async () => {
    const id = await send(imageGraph(0.2));
    standIn.beforeAnswer = async (request) => {
      if (/queue|jobs/.test(request)) await eventually(() => expect(standIn.executor.history.has(id)).toBe(true));
    };
    expect(await server.state(id)).toMatchObject({ kind: version === '0.3.64' ? 'done' : 'running' });
    standIn.beforeAnswer = () => undefined;
    expect(await server.state(id)).toMatchObject({ kind: 'done' });
  });

  it('takes one prompt out of the queue, or stops it, and no other', async () => {
    const [running, pending, other] = [await send(imageGraph(5)), await send(imageGraph()), await send(imageGraph())];
    await server.cancel(pending);
    expect(await server.state(pending)).toEqual({ kind: 'unknown' });
    expect(await server.state(running)).toEqual({ kind: 'running' });
    await server.cancel(running);
    await ends(running, 'interrupted');
    await ends(other, 'done');
    await server.cancel(other);
    await server.cancel(randomUUID());
    expect(await server.state(other)).toMatchObject({ kind: 'done' });
  });

  it('tells why a graph failed', async () => {
    const state = await ends(await send(failingGraph()), 'failed');
    expect(state).toEqual({
      kind: 'failed',
      error: {
        nodeId: '3', nodeClass: 'TestSyncError', type: 'RuntimeError',
        message: 'Intentional sync execution error for testing',
      },
    });
  });

  describe('refuses', () => {
    it('inputs, by their node and name', async () => {
      const { faults } = await refusal({
        1: node('EmptyImage', { width: 0, height: 99_999, batch_size: 'two', color: 1 }),
        2: node('SaveImage', { images: ['1', 0] }),
      });
      expect(faults).toEqual([
        { nodeId: '1', input: 'width', message: 'Value 0 smaller than min of 1' },
        { nodeId: '1', input: 'height', message: 'Value 99999 bigger than max of 16384' },
        { nodeId: '1', input: 'batch_size', message: 'Failed to convert an input value to a INT value: batch_size, two' },
        { nodeId: '2', input: 'filename_prefix', message: 'Required input is missing' },
      ]);
    });

    it('a choice that it does not have, and a file that is not there', async () => {
      const graph = shownBy('SaveImage', { filename_prefix: 'x' });
      graph[1] = node('CheckpointLoaderSimple', { ckpt_name: 'nope.safetensors' });
      expect((await refusal(graph)).faults).toMatchObject([{ nodeId: '1', input: 'ckpt_name' }]);
      const loading = { 1: node('LoadImage', { image: 'missing.png' }), 2: node('PreviewImage', { images: ['1', 0] }) };
      expect((await refusal(loading)).faults).toEqual([
        { nodeId: '1', input: 'image', message: 'Custom validation failed for node: image - Invalid image file: missing.png' },
      ]);
    });

    it('a class that it does not have, and a graph without outputs', async () => {
      expect((await refusal({ 1: node('NopeNode'), 2: node('SaveImage') })).message).toContain('NopeNode');
      expect((await refusal({ 1: node('EmptyImage') })).message).toBe('Prompt has no outputs');
    });

    it('half a graph: what would have run of it is stopped', async () => {
      const blocking = await send(imageGraph(5));
      const error = await refusal(halfGraph());
      expect(error.faults.map(({ input }) => input)).toEqual(['images', 'filename_prefix']);
      expect(standIn.executor.pending).toEqual([]);
      await server.cancel(blocking);
    });

    it('what it stumbles over, without being taken for one that is away', async () => {
      standIn.oddAnswers.push({ status: 500, body: '500 Internal Server Error\n\nServer got itself in trouble' });
      expect((await refusal(imageGraph())).message).toBe('It answered with status 500');
    });
  });

  it('is away when a proxy says so', async () => {
    standIn.oddAnswers.push({ status: 502, body: '<h1>Bad gateway</h1>' });
    await expect(send(imageGraph())).rejects.toThrow(ServerUnreachable);
  });

  it('takes the same file twice under one name, and says how a graph names it', async () => {
    const file = { name: 'abc.png', bytes: new Uint8Array([1, 2]), mimeType: 'image/png' };
    expect(await server.upload(file)).toBe('platen/abc.png');
    expect(await server.upload(file)).toBe('platen/abc.png');
    expect(await server.upload({ ...file, bytes: new Uint8Array([3]) })).toBe('platen/abc (1).png');
    expect(standIn.files.read('input/platen/abc.png')).toEqual(Buffer.of(1, 2));
  });

  it('gives a file, in its subfolder, and an error for one that is gone', async () => {
    const state = await ends(await send(imageGraph()), 'done');
    const [file] = outputFiles(state.kind === 'done' ? state.outputs : {});
    expect(file).toMatchObject({ subfolder: 'art', type: 'output' });
    expect((await buffer(server.download(file!))).subarray(1, 4).toString()).toBe('PNG');
    await expect(buffer(server.download({ ...file!, filename: 'gone.png' }))).rejects.toThrow(ServerUnreachable);
  });

  it('knows its classes and models', async () => {
    expect(await server.lackedClasses({ 1: node('EmptyImage'), 2: node('NopeNode') })).toEqual(['NopeNode']);
    expect(await server.abilities.hasModel('checkpoints', 'sd15.safetensors')).toBe(true);
    expect(await server.abilities.hasModel('checkpoints', 'nope.safetensors')).toBe(false);
    expect(await server.abilities.hasModel('nothing', 'sd15.safetensors')).toBe(false);
  });
});

describe('a ComfyUI server that is away', () => {
  let standIn: ComfyStandIn;
  let server: ComfyServer;

  beforeEach(async () => {
    standIn = await ComfyStandIn.start({ key: { name: 'X-Api-Key', value: 's p' } });
    server = new ComfyServer(serverAddress(standIn.url.replace('//', '//x-api-key:s%20p@')), TIMES);
  });
  afterEach(async () => {
    await server.close();
    await standIn.close();
  });

  it('is away, killed or silent, and back with nothing in its memory', async () => {
    const id = randomUUID();
    await server.submit(imageGraph(5), id, 'client');
    await standIn.kill();
    await expect(server.state(id)).rejects.toThrow(ServerUnreachable);
    await standIn.restart();
    expect(await server.state(id)).toEqual({ kind: 'unknown' });
    standIn.silent = true;
    await expect(server.state(id)).rejects.toThrow(ServerUnreachable);
  });

  it('has a key of its own, which its name does not tell', async () => {
    expect(await server.queueLength()).toBe(0);
    expect(server.name).toBe(standIn.name);
    const keyless = new ComfyServer(serverAddress(standIn.url), TIMES);
    await expect(keyless.queueLength()).rejects.toThrow(ServerUnreachable);
    await keyless.close();
  });
});
