import { buffer } from 'node:stream/consumers';
import type { VideoRun, VideoSettings } from '#libs/sandbox/sketch-renderer.js';
import { testRenderer } from '../../../test/factories/sketch-run.js';
import { VideoPlayer, videoRun } from '../../../test/factories/video.js';

const renderer = testRenderer();
afterAll(() => renderer.close());

const failureOf = (code: string, video: Partial<VideoSettings> = {}, changes: Partial<VideoRun> = {}) =>
  renderer.record(videoRun(code, video, changes)).then(() => undefined, (failure: Error) => failure);
/** Draws the number of the picture in grey, after whatever `before` does. */
const GREYS = (before: string) => `${before}
  function setup() { createCanvas(64, 48); } function draw() { background(frameCount * 30); }`;
const at = (frame: number, deed: string) =>
  `function setup() { createCanvas(64, 48); } function draw() { background(0); if (frameCount === ${frame}) { ${deed} } }`;

describe('a sketch that spoils its video', () => {
  it('by a loop in a frame ends at its limit, with its words', async () => {
    const code = at(10, "console.log('so far'); while (true);");
    const failure = await failureOf(code, { frames: 30 }, { timeLimitMs: 1_500 });
    expect(failure).toMatchObject({
      reason: 'time_limit', permanent: true, logs: ['so far'], message: expect.stringMatching(/\d of 30 frames/),
    });
  });

  it.each([
    ['a giant canvas', 'resizeCanvas(9000, 9000);', /canvas of 9000 x 9000 cannot be saved/],
    ['another size', 'resizeCanvas(32, 48);', /changed from 64 x 48 to 32 x 48/],
    ['no size', 'resizeCanvas(0, 0);', /canvas of 0 x 0 cannot be saved/],
    ['an error', 'missing();', /missing is not defined \(sketch\.js:1/],
  ])('by %s at some frame fails for good', async (_, deed, message) => {
    expect(await failureOf(at(3, deed))).toMatchObject({
      reason: 'error', permanent: true, message: expect.stringMatching(message),
    });
  });

  it('by more than a video holds, or by no canvas, fails for good', async () => {
    const large = 'function setup() { pixelDensity(1); createCanvas(5000, 5000); } function draw() {}';
    expect(await failureOf(large)).toMatchObject({ permanent: true, message: expect.stringContaining('too large') });
    expect(await failureOf('let nothing = 1;')).toMatchObject({ reason: 'no_canvas', permanent: true });
  });

  it('by all of the memory fails for good, and its browser with it', async () => {
    const code = at(2, 'const all = []; for (let i = 0; i < 40; i++) all.push(new Uint8Array(1e8).fill(1));');
    expect(await failureOf(code, {}, { timeLimitMs: 30_000 })).toMatchObject({ reason: 'error', permanent: true });
  }, 60_000);

  it('by removing what it finds in the page gets no video, and no one waits for it', async () => {
    const code = at(3, 'document.documentElement.replaceChildren();');
    expect(await failureOf(code, {}, { timeLimitMs: 1_500 })).toMatchObject({ name: 'SketchError', permanent: true });
  });
});

describe("a video's encoder", () => {
  it('is out of reach of the sketch', async () => {
    const { logs, bytes } = await renderer.record(videoRun(GREYS(`
      const found = () => [
        window.length, window[0], frames.length, document.querySelectorAll('iframe').length,
        document.querySelector('platen-encoder').shadowRoot, window.platen, window.Mediabunny, window.openEncoder,
      ];
      console.log(...found());
      setTimeout(() => console.log(...found()), 200);`)));
    bytes.destroy();
    expect(new Set(logs)).toEqual(new Set(['0 undefined 0 0 null undefined undefined undefined']));
  });

  it('goes by none of what the sketch replaces', async () => {
    const player = await VideoPlayer.open();
    try {
      const { bytes } = await renderer.record(videoRun(`
        const canvas = document.body.appendChild(document.createElement('canvas'));
        const context = canvas.getContext('2d');
        let count = 0;
        const again = requestAnimationFrame;
        function loop() {
          context.fillStyle = 'rgb(' + ++count * 30 + ' 0 0)';
          context.fillRect(0, 0, 300, 150);
          again(loop);
        }
        again(loop);
        const lie = () => { throw new Error('a lie'); };
        for (const name of ['VideoFrame', 'VideoEncoder', 'OffscreenCanvas', 'WritableStream', 'Uint8Array', 'Promise']) {
          window[name] = lie;
        }
        Promise.prototype.then = Array.prototype.push = Array.prototype.shift = String.prototype.slice = lie;
        CanvasRenderingContext2D.prototype.getImageData = CanvasRenderingContext2D.prototype.drawImage = lie;
        Object.defineProperty(HTMLCanvasElement.prototype, 'width', { get: () => 7, set() {} });
        Object.prototype.then = lie;`, { frames: 4 }, { timeLimitMs: 4_000 }));
      const { colors } = await player.decode(await buffer(bytes), 30, 20);
      expect(colors.map(([red]) => red)).toEqual([30, 60, 90, 120].map((grey) => expect.closeTo(grey, -1)));
    } finally {
      await player.close();
    }
  });
});
