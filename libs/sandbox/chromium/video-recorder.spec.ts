import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import sharp from 'sharp';
import type { VideoRun } from '#libs/sandbox/sketch-renderer.js';
import { sketchRun, testRenderer } from '../../../test/factories/sketch-run.js';
import { VideoPlayer, videoRun } from '../../../test/factories/video.js';

/** Each picture's grey says the how many-th it is. */
const STEP = 15;
const GREYS = `function setup() { createCanvas(64, 48); } function draw() { background(frameCount * ${STEP}); }`;
const greysOf = (frames: number) => Array.from({ length: frames }, (_, index) => (index + 1) * STEP);
const NOISE = `function setup() { createCanvas(700, 500); noStroke(); }
  function draw() { for (let i = 0; i < 150; i++) { fill(random(255), random(255), 99); circle(random(700), random(500), 60); } }`;

const renderer = testRenderer();
let player: VideoPlayer;
beforeAll(async () => {
  player = await VideoPlayer.open();
});
afterAll(() => Promise.all([renderer.close(), player.close()]));

async function record(run: VideoRun) {
  const { bytes: stream, ...video } = await renderer.record(run);
  const bytes = await buffer(stream);
  return { ...video, bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}
const decode = async (run: VideoRun) => player.decode((await record(run)).bytes, 30, 20);
const near = (values: number[]) => values.map((value) => expect.closeTo(value, -1));
/** The grey of each picture. */
const greys = async (run: VideoRun) => (await decode(run)).colors.map(([red]) => red);

describe('a video', () => {
  it.each([
    ['webm', 'vp9', 'vp9'], ['webm', 'av1', 'av1'], ['mp4', 'h264', 'avc'], ['mp4', 'av1', 'av1'],
  ] as const)('in %s of %s has every picture of the sketch at its time', async (format, codec, named) => {
    const { bytes, ...told } = await record(videoRun(GREYS, { format, codec, frames: 12, fps: 25 }));
    expect(told).toMatchObject({ width: 64, height: 48, duration: 0.48 });
    const decoded = await player.decode(bytes, 30, 20);
    expect(decoded.codec).toBe(named);
    expect(decoded.duration).toBeCloseTo(0.48, 2);
    expect(decoded.times.map((time) => Math.round(time * 25))).toEqual(Array.from({ length: 12 }, (_, index) => index));
    expect(decoded.colors.map(([red]) => red)).toEqual(near(greysOf(12)));
  });

  it('in GIF has them, too, and ends when it should', async () => {
    const { bytes } = await record(videoRun(GREYS, { format: 'gif', frames: 9, fps: 30 }));
    const { pages, delay, loop, width, pageHeight } = await sharp(bytes, { animated: true }).metadata();
    expect({ pages, loop, width, pageHeight }).toEqual({ pages: 9, loop: 0, width: 64, pageHeight: 48 });
    expect(delay).toEqual([30, 40, 30, 30, 40, 30, 30, 40, 30]);
    const pixels = await sharp(bytes, { animated: true }).removeAlpha().raw().toBuffer();
    const first = (page: number) => pixels[page * 64 * 48 * 3] as number;
    expect(Array.from({ length: 9 }, (_, page) => first(page))).toEqual(near(greysOf(9)));
  });

  it.each([
    ['webm', 'vp9'], ['webm', 'av1'], ['mp4', 'h264'], ['gif', 'vp9'],
  ] as const)('has the same bytes again, in %s of %s', async (format, codec) => {
    const run = videoRun(NOISE, { format, codec, frames: 4 });
    const [one, two] = await Promise.all([record(run), record(run)]);
    expect(two.sha256).toBe(one.sha256);
  });

  it('shows on white what has no background, and keeps an odd size where the codec can', async () => {
    const code = `function setup() { createCanvas(33, 25); } function draw() { fill(0); rect(20, 10, 20, 20); }`;
    const odd = await record(videoRun(code, { frames: 2 }));
    expect([odd.width, odd.height]).toEqual([33, 25]);
    expect((await player.decode(odd.bytes, 5, 5)).colors[0]).toEqual(near([255, 255, 255]));
    const even = await record(videoRun(code, { format: 'mp4', codec: 'h264', frames: 2 }));
    expect([even.width, even.height]).toEqual([32, 24]);
  });
});

it('keeps no image waiting', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const endless = Array.from({ length: 3 }, () => renderer.record(videoRun(GREYS, { frames: 18_000 }, { signal })));
  const ends = Promise.allSettled(endless);
  expect(await renderer.render(sketchRun(GREYS))).toMatchObject({ width: 64, height: 48 });
  controller.abort();
  expect((await ends).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
});

describe("the sketch's time in a video", () => {
  it('goes on by one picture a frame', async () => {
    const { logs } = await record(videoRun('function draw() { console.log(millis(), deltaTime); }', { frames: 4, fps: 8 }));
    const times = logs.map((line) => line.split(' ').map(Number));
    const [first = 0] = times[0] ?? [];
    expect(times.map(([time]) => (time ?? 0) - first)).toEqual([0, 125, 250, 375]);
    expect(times.slice(1).map(([, step]) => step)).toEqual([125, 125, 125]);
  });

  it('stands still while the encoder works and while something loads', async () => {
    const code = `let data; const load = () => fetch('a.json').then((answer) => answer.json()).then(({ x }) => (data = x));
      function setup() { createCanvas(64, 48); load(); }
      function draw() { background(data ? data + frameCount * 10 : 255); }`;
    const assets = { 'a.json': { bytes: Buffer.from('{"x":50}'), mimeType: 'application/json' } };
    const colors = await greys(videoRun(code, { frames: 4 }, { assets }));
    expect(colors.slice(1)).toEqual(near([70, 80, 90]));
  });

  it('repeats a picture where the sketch draws none: at its own frame rate, and after noLoop()', async () => {
    const slow = `function setup() { createCanvas(64, 48); frameRate(10); } function draw() { background(frameCount * 40); }`;
    expect(await greys(videoRun(slow, { frames: 6, fps: 20 }))).toEqual(near([40, 40, 80, 80, 120, 120]));
    const still = `function setup() { createCanvas(64, 48); }
      function draw() { background(frameCount * ${STEP}); capture(); if (frameCount === 4) noLoop(); }`;
    expect(await greys(videoRun(still, { frames: 6 }))).toEqual(near([15, 30, 45, 60, 60, 60]));
  });

  it('goes by p5 2, by frames of its own, and by WebGL alike', async () => {
    const two = greys(videoRun(GREYS, { frames: 5 }, { p5Version: '2' }));
    const plain = greys(videoRun(`
      const canvas = document.body.appendChild(document.createElement('canvas'));
      const context = canvas.getContext('2d');
      let count = 0;
      function loop() {
        context.fillStyle = 'rgb(' + ++count * ${STEP} + ' 0 0)';
        context.fillRect(0, 0, 300, 150);
        requestAnimationFrame(loop);
      }
      requestAnimationFrame(loop);`, { frames: 5 }));
    const webgl = greys(videoRun(`
      const canvas = document.body.appendChild(document.createElement('canvas'));
      const gl = canvas.getContext('webgl');
      let count = 0;
      function loop() {
        gl.clearColor(++count * ${STEP} / 255, 0, 0, 1);
        gl.clear(gl.COLOR_BUFFER_BIT);
        requestAnimationFrame(loop);
      }
      requestAnimationFrame(loop);`, { frames: 5 }));
    for (const colors of await Promise.all([two, plain, webgl])) expect(colors).toEqual(near(greysOf(5)));
  });
});
