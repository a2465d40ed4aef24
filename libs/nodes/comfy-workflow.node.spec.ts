import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Graph } from '#libs/comfyui/graph.js';
import type { BusMessage } from '#libs/events/event-bus.js';
import { imageGraph, node, shownBy } from '../../test/factories/comfy-graphs.js';
import { ComfyRoad } from '../../test/factories/comfy-road.js';
import { jobEnds } from '../../test/factories/reads.js';
import type { Road } from '../../test/factories/road.js';
import type { ComfyStandIn } from '../../test/setup/comfyui/stand-in.js';
import { eventually } from '../../test/setup/eventually.js';
import { AssetHandle, type NodeContext, type Waiting } from './node.js';

const contextOf = (graph: Graph, signal: AbortSignal) => ({
  payload: { graph, files: [], inputs: {}, models: [] }, token: randomUUID(), signal,
  progress: () => undefined, log: () => undefined, wake: () => undefined,
}) as unknown as NodeContext;

describe('comfy_workflow', () => {
  let comfy: ComfyRoad;
  let road: Road;
  let [older, newer] = [] as unknown as [ComfyStandIn, ComfyStandIn];
  beforeAll(async () => {
    comfy = await ComfyRoad.start();
    ({ road, older, newer } = comfy);
  });
  afterAll(() => comfy.close());

  it('stores what the graph saved', async () => {
    const { jobId } = await comfy.submit(imageGraph());
    await jobEnds(road.database, jobId, 'completed');
    const [asset, ...others] = await comfy.assetsOf(jobId);
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
    const { jobId } = await comfy.submit(graph);
    await jobEnds(road.database, jobId, 'completed');
    const names = (await comfy.assetsOf(jobId)).map(({ name }) => name.replace(/_\d+_/, ''));
    expect(names).toEqual(['kept.png', 'clip.webm', 'song.flac', 'ComfyUI_temp.png']);
    expect((await comfy.stepOf(jobId)).output.value).toBe('hello');
  });

  it('gives a text alone as a text', async () => {
    const { jobId } = await comfy.submit({ 1: node('PreviewAny', { source: 'only words' }) });
    await jobEnds(road.database, jobId, 'completed');
    expect((await comfy.stepOf(jobId)).output.value).toBe('only words');
  });

  it('stores images that come over the websocket only', async () => {
    const { jobId } = await comfy.submit(shownBy('SaveImageWebsocket'));
    await jobEnds(road.database, jobId, 'completed');
    expect(await comfy.assetsOf(jobId)).toMatchObject([{ name: 'image_1.png', mime_type: 'image/png' }]);
  });

  it('waits without a slot, says how far it is, and is awake as soon as it has ended', async () => {
    const heard: BusMessage[] = [];
    const stop = road.bus.subscribe((message) => void heard.push(message));
    const [one, other] = [imageGraph(0.6), imageGraph(0.6)];
    const jobs = [await comfy.submit(one), await comfy.submit(other)];
    // One worker with one slot, two prompts at once.
    await Promise.all([comfy.runnerOf(one), comfy.runnerOf(other)]);
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
    const { jobId } = await comfy.submit(graph('1'), { files });
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
    await expect(comfy.node.run({ ...context, payload, assets } as never))
      .rejects.toMatchObject({ code: 'INPUT_TOO_LARGE', permanent: true });
  });

  it('goes where the nodes and models are', async () => {
    const before = newer.executor.begun.length;
    const video = await comfy.submit(shownBy('VHS_VideoCombine', { filename_prefix: 'v' }));
    const model = await comfy.submit(shownBy('SaveImage', { filename_prefix: 'm' }), { models: [{ kind: 'checkpoints', name: 'sdxl.safetensors' }] });
    for (const { jobId } of [video, model]) await jobEnds(road.database, jobId, 'completed');
    expect(newer.executor.begun.length).toBe(before + 1);
  });

  it.each(['older', 'newer'])('stops the %s server when its generation is cancelled', async (which) => {
    const server = which === 'older' ? older : newer;
    const model = which === 'older' ? 'sd15.safetensors' : 'sdxl.safetensors';
    const graph = imageGraph(30);
    const { jobId, userId } = await comfy.submit(graph, { models: [{ kind: 'checkpoints', name: model }] });
    await comfy.runnerOf(graph);
    await eventually(async () => expect((await comfy.stepOf(jobId)).status).toBe('waiting'));
    expect(await comfy.stepOf(jobId)).toMatchObject({ logs: ['Queued at a ComfyUI server'] });
    await road.control.cancelJob(userId, jobId);
    await eventually(async () => {
      await road.cancels.sweep();
      expect(server.executor.remaining).toBe(0);
    });
  });

  it('goes on elsewhere when its server dies, or comes back with an empty memory', async () => {
    const graph = imageGraph(1.5);
    const { jobId } = await comfy.submit(graph);
    const first = await comfy.runnerOf(graph);
    await first.kill();
    const second = await comfy.runnerOf(graph);
    expect(second.name).not.toBe(first.name);
    await first.restart();
    await second.kill();
    await second.restart();
    await jobEnds(road.database, jobId, 'completed', 20_000);
    expect(await comfy.assetsOf(jobId)).toHaveLength(1);
    expect(await comfy.stepOf(jobId)).toMatchObject({ attempt: 1 });
  });

  it('fetches again, and buys nothing again, when a file does not come', async () => {
    const graph = imageGraph();
    const sent = () => [older, newer].flatMap(({ requests }) => requests).filter((request) => /^POST .*\/prompt$/.test(request));
    const sentBefore = sent().length;
    let views = 0;
    const firstView = (request: string) => (request.endsWith('/view') && ++views === 1 ? delay(2_000) : undefined);
    for (const server of [older, newer]) server.beforeAnswer = firstView;
    const { jobId } = await comfy.submit(graph);
    await jobEnds(road.database, jobId, 'completed', 20_000);
    expect({ views, sent: sent().length - sentBefore }).toEqual({ views: 2, sent: 1 });
    expect(await comfy.assetsOf(jobId)).toHaveLength(1);
    expect(await comfy.stepOf(jobId)).toMatchObject({ attempt: 2 });
  });

  it('leaves a server that falls silent, and stops there what another one does by then', async () => {
    const graph = imageGraph(20);
    const { jobId, userId } = await comfy.submit(graph);
    const first = await comfy.runnerOf(graph);
    first.silent = true;
    await eventually(() => expect([older, newer].filter(({ executor }) => executor.remaining > 0)).toHaveLength(2), 15_000);
    first.silent = false;
    await eventually(async () => {
      await comfy.servers.modelsOf([{ kind: 'checkpoints', name: 'x' }]);
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
    const halfOpen = await comfy.submit(imageGraph(0.3));
    await jobEnds(road.database, halfOpen.jobId, 'completed');
    for (const server of [older, newer]) server.halfOpen = false;
    const graph = imageGraph(0.5);
    const cut = await comfy.submit(graph);
    await comfy.runnerOf(graph);
    for (const server of [older, newer]) server.cutSockets();
    await jobEnds(road.database, cut.jobId, 'completed');
  });

  it('finds what an attempt has sent whose worker died, but not images that only it could hear', async () => {
    const abort = new AbortController();
    const kept = contextOf(imageGraph(0.2), abort.signal);
    const { reference } = (await comfy.node.run(kept)) as Waiting;
    expect(await comfy.node.find!(kept, kept.token)).toEqual(reference);
    expect(await comfy.node.find!(kept, randomUUID())).toBeNull();
    const heard = contextOf({ ...imageGraph(5), 4: node('SaveImageWebsocket', { images: ['2', 0] }) }, abort.signal);
    const running = comfy.node.run(heard).catch(() => 'stopped');
    await comfy.runnerOf(heard.payload['graph'] as unknown as Graph);
    expect(await comfy.node.find!(heard, heard.token)).toBeNull();
    await comfy.isIdle();
    abort.abort();
    expect(await running).toBe('stopped');
  });

  it('stops what it has just sent when it must not go on', async () => {
    const abort = new AbortController();
    const graph = imageGraph(5);
    const context = { ...contextOf(graph, abort.signal), log: () => abort.abort() };
    await expect(comfy.node.run(context)).rejects.toThrow();
    await comfy.isIdle();
  });

  it('stops what it has sent when the websocket breaks that its images come by', async () => {
    const graph = { ...imageGraph(20), 4: node('SaveImageWebsocket', { images: ['2', 0] }) };
    const context = contextOf(graph, new AbortController().signal);
    const failed = comfy.node.run(context).catch((error: unknown) => error);
    (await comfy.runnerOf(graph)).cutSockets();
    expect(await failed).toMatchObject({ code: 'COMFYUI_SOCKET_LOST' });
    await comfy.isIdle();
  });

  it('waits for a server when none answers', async () => {
    await Promise.all([older.kill(), newer.kill()]);
    const { jobId } = await comfy.submit(imageGraph());
    await eventually(async () => expect((await comfy.stepOf(jobId))?.status).toBe('waiting'));
    await newer.restart();
    await older.restart();
    await jobEnds(road.database, jobId, 'completed', 15_000);
  });
});
