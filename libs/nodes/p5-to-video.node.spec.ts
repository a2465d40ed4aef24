import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { RemoteImages } from '#libs/outbound/remote-images.js';
import { jobEnds } from '../../test/factories/reads.js';
import { buildRoad } from '../../test/factories/road.js';
import { testRenderer } from '../../test/factories/sketch-run.js';
import { runSketchStep } from '../../test/factories/sketch-step.js';
import { AssetHandle, type Done, type NodeContext } from './node.js';
import { p5ToVideoNode } from './p5-to-video.node.js';
import { checkPayload } from './payload.js';

const renderer = testRenderer();
afterAll(() => renderer.close());
const node = p5ToVideoNode(renderer, { faultOf: () => null } as Partial<RemoteImages> as RemoteImages);

const CODE = 'function draw() { background(variables.mood === "calm" ? 40 : 200); }';
const SIZE = { width: 48, height: 32 };
const faultsOf = (payload: JsonObject) => checkPayload(node, payload).faults;

async function run(payload: JsonObject, changes?: Partial<NodeContext>) {
  const { logs, outcome } = runSketchStep(node, { ...SIZE, ...payload }, changes);
  return { ...((await outcome) as Done), logs };
}

const videoOf = ({ assets = [] }: Done) => assets[0]?.bytes as Readable;

describe('the p5_to_video node', () => {
  it('makes a video that says how long and how large it is, with features as traits and the console as its log', async () => {
    const code = `$fx.features({ Mood: variables.mood }); console.log('rolling'); ${CODE}`;
    const { assets = [], traits, logs, fetched } = await run({ code, duration: 0.5, fps: 12 });
    expect({ assets, traits, logs, fetched }).toEqual({
      assets: [{ name: 'sketch.webm', bytes: expect.anything(), width: 48, height: 32, duration: 0.5 }],
      traits: [{ trait_type: 'Mood', value: 'calm' }],
      logs: ['rolling'],
      fetched: [],
    });
    expect((await buffer(assets[0]?.bytes as Readable)).toString('latin1')).toContain('V_VP9');
  });

  it.each([
    [{ format: 'mp4' }, 'sketch.mp4', 'avc1'],
    [{ format: 'mp4', codec: 'av1' }, 'sketch.mp4', 'av01'],
    [{ codec: 'av1' }, 'sketch.webm', 'V_AV1'],
    [{ format: 'gif' }, 'sketch.gif', 'NETSCAPE2.0'],
  ])('makes %j', async (payload, name, mark) => {
    const { assets: [video] = [] } = await run({ code: CODE, frames: 2, ...payload });
    expect(video?.name).toBe(name);
    expect((await buffer(video?.bytes as Readable)).toString('latin1')).toContain(mark);
  });

  it('tells of every frame', async () => {
    const told: Array<[fraction: number, message?: string]> = [];
    const progress = (fraction: number, message?: string) => void told.push([fraction, message]);
    videoOf(await run({ code: CODE, frames: 5 }, { progress })).destroy();
    expect(told).toEqual([
      [0.2, 'frame 1 of 5'], [0.4, 'frame 2 of 5'], [0.6, 'frame 3 of 5'], [0.8, 'frame 4 of 5'], [1, 'frame 5 of 5'],
    ]);
  });

  it('hands assets to the sketch', async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="7" height="4"></svg>';
    const dot = new AssetHandle({
      id: 'a1', storageKey: 'key', name: 'dot.svg', mimeType: 'image/svg+xml', size: svg.length, sha256: '',
    });
    const code = `let dot; function preload() { dot = loadImage('dot.svg'); }
      function draw() { image(dot, 0, 0); console.log(dot.width); }`;
    const assets = { read: async () => Buffer.from(svg) } as never;
    const done = await run({ code, frames: 1, assets: { 'dot.svg': dot as never } }, { assets });
    videoOf(done).destroy();
    expect(done.logs).toEqual(['7']);
  });

  it.each([
    ['while frames follow each other', 'function draw() { background(0); }'],
    ['while a frame does not end', 'function draw() { background(0); if (frameCount === 99) while (true); }'],
  ])('stops soon after a cancel, %s', async (_, code) => {
    const controller = new AbortController();
    let tell = () => {};
    const rolling = new Promise<void>((resolve) => (tell = resolve));
    const stopped = run({ code, frames: 18_000 }, {
      signal: controller.signal,
      progress: (fraction) => fraction > 0 && tell(),
    }).catch((failure: unknown) => failure);
    await rolling;
    await sleep(500);
    const begun = performance.now();
    controller.abort(new Error('cancelled'));
    expect(await stopped).toEqual(new Error('cancelled'));
    expect(performance.now() - begun).toBeLessThan(20_000);
  }, 90_000);

  it('keeps no file of a video that nobody reads once the step is over', async () => {
    const controller = new AbortController();
    const stream = videoOf(await run({ code: CODE, frames: 2 }, { signal: controller.signal }));
    const closed = once(stream, 'close').catch(() => undefined);
    controller.abort();
    await closed;
    expect(stream.destroyed).toBe(true);
  });

  it('leaves the video among the files of its edition, with its size and length', async () => {
    const road = await buildRoad({ nodes: [node] });
    try {
      road.worker().start();
      const nodePayload = { ...SIZE, code: CODE, frames: 5, fps: 10, format: 'mp4' };
      const steps = [{ id: 1, nodeName: 'p52vid', nodePayload }];
      const { jobId } = await road.submit({ steps, lane: 'chromium' });
      await jobEnds(road.database, jobId, 'completed', 20_000);
      const columns = 'name, mime_type, width, height, duration';
      const files = await road.database.query(`select ${columns} from flat_file where job_id = $1`, [jobId]);
      expect(files).toEqual([{ name: 'sketch.mp4', mime_type: 'video/mp4', width: 48, height: 32, duration: 0.5 }]);
    } finally {
      await road.close();
    }
  });

  it.each([
    ['SKETCH_ERROR', 'function draw() {\n  if (frameCount === 2) missing(); }', 'sketch.js:2'],
    ['SKETCH_TIME_LIMIT', 'function draw() { if (frameCount === 3) while (true); }', 'of 9 frames'],
    ['SKETCH_NO_CANVAS', 'console.log("no")', 'without a canvas'],
  ])('fails for good with %s', async (code, sketch, message) => {
    await expect(run({ code: sketch, frames: 9, time_limit_ms: 900 })).rejects.toMatchObject({
      name: 'NodeError', code, permanent: true, message: expect.stringContaining(message),
    });
  });

  it('fills in defaults', () => {
    expect(checkPayload(node, { code: 'x', frames: 1 }).payload).toMatchObject({
      width: 1024, height: 1024, fps: 30, format: 'webm', time_limit_ms: 600_000,
    });
  });

  it.each([
    [{ code: 'x' }, 'frames'],
    [{ frames: 1 }, 'code'],
    [{ code: 'x', frames: 1, duration: 1 }, 'duration'],
    [{ code: 'x', frames: 0 }, 'frames'],
    [{ code: 'x', duration: 1_000, fps: 60 }, 'duration'],
    [{ code: 'x', frames: 1, fps: 61 }, 'fps'],
    [{ code: 'x', frames: 1, fps: 60, format: 'gif' }, 'fps'],
    [{ code: 'x', frames: 1, format: 'avi' }, 'format'],
    [{ code: 'x', frames: 1, codec: 'h264' }, 'codec'],
    [{ code: 'x', frames: 1, format: 'mp4', codec: 'vp9' }, 'codec'],
    [{ code: 'x', frames: 1, format: 'gif', codec: 'vp9' }, 'codec'],
    [{ code: 'x', frames: 1, width: 4097 }, 'width'],
  ])('refuses %j and names %s', (payload, path) => {
    expect(faultsOf(payload as JsonObject)).toContainEqual(expect.objectContaining({ path }));
  });
});
