import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ComfyServers } from '#libs/comfyui/comfy-servers.js';
import type { Graph } from '#libs/comfyui/graph.js';
import type { InputMapping } from '#libs/comfyui/input-mapping.js';
import type { BusMessage } from '#libs/events/event-bus.js';
import type { RemoteImages } from '#libs/outbound/remote-images.js';
import { failingGraph, halfGraph, imageGraph, node, shownBy } from '../../test/factories/comfy-graphs.js';
import { jobEnds, stepRuns } from '../../test/factories/reads.js';
import { buildRoad, type Road } from '../../test/factories/road.js';
import { png } from '../../test/setup/comfyui/node-classes.js';
import { ComfyStandIn } from '../../test/setup/comfyui/stand-in.js';
import { eventually } from '../../test/setup/eventually.js';
import { comfyWorkflowNode } from './comfy-workflow.node.js';
import { AssetHandle, type NodeContext, type Waiting } from './node.js';

const POOL = { asideMs: 300, answerMs: 1_000, sockets: { pingMs: 10_000, idleMs: 60_000 } };
const PATIENCE = { silenceMs: 400, placeMs: 60_000 };
const elsewhere = png({ width: 4, height: 4, color: 7 });
const images = { load: async () => ({ bytes: elsewhere, mimeType: 'image/png', sha256: 'e'.repeat(64) }) };

const contextOf = (graph: Graph, signal: AbortSignal) => ({
  payload: { graph, files: [], inputs: {}, models: [] }, token: randomUUID(), signal,
  progress: () => undefined, log: () => undefined, wake: () => undefined,
}) as unknown as NodeContext;

describe('comfy_workflow', () => {
  let road: Road;
  let older: ComfyStandIn;
  let newer: ComfyStandIn;
  let servers: ComfyServers;

  beforeAll(async () => {
    older = await ComfyStandIn.start({ version: '0.3.64' });
    newer = await ComfyStandIn.start({ models: { checkpoints: ['sdxl.safetensors'] }, without: ['VHS_VideoCombine'] });
    servers = new ComfyServers([older.url, newer.url], POOL);
    road = await buildRoad({ nodes: [comfyWorkflowNode(servers, images as unknown as RemoteImages, PATIENCE)] });
    road.worker({ lanes: ['provider'], concurrency: 1 }).start();
  });
  afterAll(async () => {
    await road.close();
    await servers.close();
    await older.close();
    await newer.close();
  });

  const submit = (graph: Graph, more: object = {}) => {
    const nodePayload = { graph, files: [], inputs: {}, models: [], ...more } as never;
    return road.submit({ steps: [{ id: 1, nodeName: 'comfy_workflow', nodePayload }], lane: 'provider' });
  };
  const assetsOf = (jobId: string) =>
    road.database.query<{ name: string; mime_type: string; storage_key: string; size: string }>(
      'select name, mime_type, storage_key, size from flat_file where job_id = $1 order by index', [jobId],
    );
  const stepOf = async (jobId: string) => (await stepRuns(road.database, jobId)).at(-1)!;
  /** The server that runs a graph, as soon as one does. Graphs are known by their colour. */
  async function runnerOf(graph: Graph): Promise<ComfyStandIn> {
    const color = graph[1]?.inputs['color'];
    const find = () => [older, newer].find(({ executor }) => executor.running?.graph[1]?.inputs['color'] === color);
    await eventually(() => expect(find()?.name).toBeDefined());
    return find() as ComfyStandIn;
  }

  it('stores what the graph saved', async () => {
    const { jobId } = await submit(imageGraph());
    await jobEnds(road.database, jobId, 'completed');
    const [asset, ...others] = await assetsOf(jobId);
    expect(others).toEqual([]);
    expect(asset).toMatchObject({ name: expect.stringMatching(/^one_\d+_\.png$/), mime_type: 'image/png' });
    expect((await readFile(join(road.storageFolder, asset!.storage_key))).subarray(1, 4).toString()).toBe('PNG');
  });

  it('stores every kind of output: kept files before previews, and texts as its value', async () => {
    const graph = {
      ...shownBy('PreviewImage'), 3: node('SaveImage', { images: ['1', 0], filename_prefix: 'kept' }),
      4: node('VHS_VideoCombine', { images: ['1', 0], filename_prefix: 'clip' }),
      5: node('SaveAudio', { images: ['1', 0], filename_prefix: 'song' }), 6: node('PreviewAny', { source: 'hello' }),
    };
    const { jobId } = await submit(graph);
    await jobEnds(road.database, jobId, 'completed');
    const names = (await assetsOf(jobId)).map(({ name }) => name.replace(/_\d+_/, ''));
    expect(names).toEqual(['kept.png', 'clip.webm', 'song.flac', 'ComfyUI_temp.png']);
    expect((await stepOf(jobId)).output.value).toBe('hello');
  });

  it('gives a text alone as a text', async () => {
    const { jobId } = await submit({ 1: node('PreviewAny', { source: 'only words' }) });
    await jobEnds(road.database, jobId, 'completed');
    expect((await stepOf(jobId)).output.value).toBe('only words');
  });

  it('stores images that come over the websocket only', async () => {
    const { jobId } = await submit(shownBy('SaveImageWebsocket'));
    await jobEnds(road.database, jobId, 'completed');
    expect(await assetsOf(jobId)).toMatchObject([{ name: 'image_1.png', mime_type: 'image/png' }]);
  });

  it('waits without a slot, says how far it is, and is awake as soon as it has ended', async () => {
    const heard: BusMessage[] = [];
    const stop = road.bus.subscribe((message) => void heard.push(message));
    const [one, other] = [imageGraph(0.6), imageGraph(0.6)];
    const jobs = [await submit(one), await submit(other)];
    // One worker with one slot, two prompts at once.
    await Promise.all([runnerOf(one), runnerOf(other)]);
    for (const { jobId } of jobs) await jobEnds(road.database, jobId, 'completed');
    stop();
    const told = heard.flatMap((message) =>
      message.kind === 'progress' && message.event.job_id === jobs[0]!.jobId ? [message.event.progress] : []);
    expect(told.length).toBeGreaterThan(1);
    expect(told).toEqual([...told].sort((a, b) => Number(a) - Number(b)));
  });

  it('uploads files of ours and of other hosts, under names of their bytes', async () => {
    const made = await road.submit({ steps: [{ id: 1, nodeName: 'file', nodePayload: { text: 'x' } }] });
    road.worker({ lanes: ['default'] }).start();
    await jobEnds(road.database, made.jobId, 'completed');
    const graph = (id: string): Graph => ({ [id]: node('LoadImage', { image: 'a' }), 2: node('PreviewImage', { images: [id, 0] }) });
    const files = [{ nodeId: '1', input: 'image', file: 'https://elsewhere.example/a.png' }];
    const { jobId } = await submit(graph('1'), { files });
    await jobEnds(road.database, jobId, 'completed');
    expect([older, newer].some((server) => server.files.has(`input/platen/${'e'.repeat(64)}.png`))).toBe(true);
    const [row] = await road.database.query<{ data: { fetched: unknown } }>(
      'select gen_in_data as data from flat_file where job_id = $1', [jobId]);
    expect(row!.data.fetched).toEqual([{ url: 'https://elsewhere.example/a.png', sha256: 'e'.repeat(64) }]);
  });

  it('takes no input of ours that is larger than a worker holds well', async () => {
    const file = new AssetHandle({ id: '7', storageKey: 'k', name: 'a.png', mimeType: 'image/png', size: 64 * 1024 ** 2 + 1, sha256: 'f' });
    const context = contextOf(imageGraph(), new AbortController().signal);
    const payload = { ...context.payload, files: [{ nodeId: '1', input: 'image', file }] };
    const assets = { read: () => { throw new Error('It was read'); } };
    await expect(comfyWorkflowNode(servers, {} as RemoteImages, PATIENCE).run({ ...context, payload, assets } as never))
      .rejects.toMatchObject({ code: 'INPUT_TOO_LARGE', permanent: true });
  });

  describe('fails for good, in words that help', () => {
    const failure = async (graph: Graph, more: object = {}) => {
      const { jobId } = await submit(graph, more);
      await jobEnds(road.database, jobId, 'failed');
      expect(await stepOf(jobId)).toMatchObject({ attempt: 1, status: 'failed' });
      return (await stepOf(jobId)).error;
    };
    const inputs: InputMapping = { 1: { width: { value: 'picture_width' } } };

    it('with the field of the form behind an input that was refused', async () => {
      const graph = shownBy('SaveImage', { filename_prefix: 'x' });
      graph[1]!.inputs['width'] = 0;
      expect(await failure(graph, { inputs })).toEqual({
        code: 'VALIDATION_ERROR',
        message: 'picture_width: Value 0 smaller than min of 1',
        details: [{ field: 'picture_width', message: 'Value 0 smaller than min of 1' }],
      });
    });

    it('with the place in the graph, where no field is behind it; and half a graph is refused as a whole', async () => {
      const { code, ...more } = (await failure(halfGraph())) as { code: string; details?: Array<{ field: string }> };
      expect(code).toBe('VALIDATION_ERROR');
      expect(more.details?.map(({ field }) => field)).toEqual(['workflow.3.inputs.images', 'workflow.3.inputs.filename_prefix']);
    });

    it("with nothing of the graph's values and titles, nor of the server's models, beside the form's fields", async () => {
      const graph = shownBy('SaveImage', { filename_prefix: 'x' });
      graph[1] = { ...node('CheckpointLoaderSimple', { ckpt_name: 'private.safetensors' }), _meta: { title: 'private' } };
      const refused = { field: 'workflow.1.inputs.ckpt_name', message: 'is refused by the ComfyUI server' };
      expect(await failure(graph)).toMatchObject({ code: 'VALIDATION_ERROR', details: expect.arrayContaining([refused]) });
      expect(JSON.stringify(await failure(graph))).not.toMatch(/private|sd15|sdxl/);
      expect(await failure({ 1: node('EmptyImage') })).toMatchObject({ message: 'The ComfyUI server refuses the graph' });
    });

    it('with the node that failed while it ran, whatever others had saved', async () => {
      expect(await failure(failingGraph())).toEqual({
        code: 'COMFYUI_EXECUTION_ERROR', message: 'Node 3 of the graph failed at the ComfyUI server',
      });
    });

    it('with what no server has', async () => {
      const graph = imageGraph();
      expect(await failure({ ...graph, 9: node('NopeNode') })).toMatchObject({ code: 'COMFYUI_NOT_INSTALLED', message: 'No server has the node NopeNode' });
      const models = [{ kind: 'checkpoints', name: 'nope.safetensors' }];
      expect(await failure(graph, { models })).toMatchObject({ message: 'No server has the model nope.safetensors' });
    });
  });

  it('goes where the nodes and models are', async () => {
    const video = await submit(shownBy('VHS_VideoCombine', { filename_prefix: 'v' }));
    const model = await submit(shownBy('SaveImage', { filename_prefix: 'm' }), { models: [{ kind: 'checkpoints', name: 'sdxl.safetensors' }] });
    const before = newer.executor.begun.length;
    for (const { jobId } of [video, model]) await jobEnds(road.database, jobId, 'completed');
    expect(newer.executor.begun.length).toBe(before + 1);
  });

  it.each(['older', 'newer'])('stops the %s server when its generation is cancelled', async (which) => {
    const server = which === 'older' ? older : newer;
    const model = which === 'older' ? 'sd15.safetensors' : 'sdxl.safetensors';
    const graph = imageGraph(30);
    const { jobId, userId } = await submit(graph, { models: [{ kind: 'checkpoints', name: model }] });
    await runnerOf(graph);
    await eventually(async () => expect((await stepOf(jobId)).status).toBe('waiting'));
    expect(await stepOf(jobId)).toMatchObject({ logs: ['Queued at a ComfyUI server'] });
    await road.control.cancelJob(userId, jobId);
    await eventually(async () => {
      await road.cancels.sweep();
      expect(server.executor.remaining).toBe(0);
    });
  });

  it('goes on elsewhere when its server dies, or comes back with an empty memory', async () => {
    const graph = imageGraph(1.5);
    const { jobId } = await submit(graph);
    const first = await runnerOf(graph);
    await first.kill();
    const second = await runnerOf(graph);
    expect(second.name).not.toBe(first.name);
    await first.restart();
    await second.kill();
    await second.restart();
    await jobEnds(road.database, jobId, 'completed', 20_000);
    expect(await assetsOf(jobId)).toHaveLength(1);
    expect(await stepOf(jobId)).toMatchObject({ attempt: 1 });
  });

  it('leaves a server that falls silent, and stops there what another one does by then', async () => {
    const graph = imageGraph(20);
    const { jobId, userId } = await submit(graph);
    const first = await runnerOf(graph);
    first.silent = true;
    await eventually(() => expect([older, newer].filter(({ executor }) => executor.remaining > 0)).toHaveLength(2), 15_000);
    first.silent = false;
    await eventually(async () => {
      await servers.modelsOf([{ kind: 'checkpoints', name: 'x' }]);
      expect(first.executor.remaining).toBe(0);
    });
    await road.control.cancelJob(userId, jobId);
    await eventually(async () => {
      await road.cancels.sweep();
      expect([older, newer].map(({ executor }) => executor.remaining)).toEqual([0, 0]);
    });
  });

  it('is not held up by a websocket that is half open or cut', async () => {
    for (const server of [older, newer]) server.halfOpen = true;
    const halfOpen = await submit(imageGraph(0.3));
    await jobEnds(road.database, halfOpen.jobId, 'completed');
    for (const server of [older, newer]) server.halfOpen = false;
    const graph = imageGraph(0.5);
    const cut = await submit(graph);
    await runnerOf(graph);
    for (const server of [older, newer]) server.cutSockets();
    await jobEnds(road.database, cut.jobId, 'completed');
  });

  it('finds what an attempt has sent whose worker died, but not images that only it could hear', async () => {
    const comfy = comfyWorkflowNode(servers, images as unknown as RemoteImages, PATIENCE);
    const abort = new AbortController();
    const kept = contextOf(imageGraph(0.2), abort.signal);
    const { reference } = (await comfy.run(kept)) as Waiting;
    expect(await comfy.find!(kept, kept.token)).toEqual(reference);
    expect(await comfy.find!(kept, randomUUID())).toBeNull();
    const heard = contextOf({ ...imageGraph(5), 4: node('SaveImageWebsocket', { images: ['2', 0] }) }, abort.signal);
    const running = comfy.run(heard).catch(() => 'stopped');
    await runnerOf(heard.payload['graph'] as unknown as Graph);
    expect(await comfy.find!(heard, heard.token)).toBeNull();
    await eventually(() => expect([older, newer].map(({ executor }) => executor.remaining)).toEqual([0, 0]));
    abort.abort();
    expect(await running).toBe('stopped');
  });

  it('stops what it has just sent when it must not go on', async () => {
    const abort = new AbortController();
    const graph = imageGraph(5);
    const context = { ...contextOf(graph, abort.signal), log: () => abort.abort() };
    await expect(comfyWorkflowNode(servers, {} as RemoteImages, PATIENCE).run(context)).rejects.toThrow();
    await eventually(() => expect([older, newer].map(({ executor }) => executor.remaining)).toEqual([0, 0]));
  });

  it('stops what it has sent when the websocket breaks that its images come by', async () => {
    const graph = { ...imageGraph(20), 4: node('SaveImageWebsocket', { images: ['2', 0] }) };
    const context = contextOf(graph, new AbortController().signal);
    const failed = comfyWorkflowNode(servers, {} as RemoteImages, PATIENCE).run(context).catch((error: unknown) => error);
    (await runnerOf(graph)).cutSockets();
    expect(await failed).toMatchObject({ code: 'COMFYUI_SOCKET_LOST' });
    await eventually(() => expect([older, newer].map(({ executor }) => executor.remaining)).toEqual([0, 0]));
  });

  it('waits for a server when none answers', async () => {
    await Promise.all([older.kill(), newer.kill()]);
    const { jobId } = await submit(imageGraph());
    await eventually(async () => expect((await stepOf(jobId))?.status).toBe('waiting'));
    await newer.restart();
    await older.restart();
    await jobEnds(road.database, jobId, 'completed', 15_000);
  });
});
