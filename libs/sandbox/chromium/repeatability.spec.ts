import { randomStream } from '#libs/instruction-set/random.js';
import { HASH, OTHER_HASHES, sha256, sketchRun, testRenderer } from '../../../test/factories/sketch-run.js';

/** Every source of randomness and time that a sketch may draw from shows in the picture. */
const SKETCH = `
  const first = Math.random();
  function setup() { createCanvas(120, 120); noLoop(); textFont('Arial'); }
  function draw() {
    background(fxrand() * 255, first * 255, 128);
    for (let i = 0; i < 60; i++) {
      fill(random(255), noise(i) * 255, Math.random() * 255);
      circle(random(width), random(height), pseudorandom(30));
    }
    const bytes = crypto.getRandomValues(new Uint8Array(4));
    fill(0);
    text([millis(), Date.now() % 97, ...bytes, crypto.randomUUID().slice(0, 6)].join(' '), 2, 40);
  }`;

const renderer = testRenderer();
afterAll(() => renderer.close());

/** What a sketch prints, as data. */
async function printed(code: string, hash = HASH): Promise<unknown[]> {
  const { logs } = await renderer.render(sketchRun(`${code}\nfunction draw() {}`, { hash }));
  return logs.map((line) => JSON.parse(line));
}

describe('repeatability', () => {
  it('draws another picture for every hash', async () => {
    const images = await Promise.all(
      [HASH, ...OTHER_HASHES].map((hash) => renderer.render(sketchRun(SKETCH, { hash }))),
    );
    expect(new Set(images.map(sha256)).size).toBe(3);
  });

  it.each(['1', '2'] as const)('gives the same bytes in any page and browser (p5 %s)', async (p5Version) => {
    const run = sketchRun(SKETCH, { p5Version });
    const other = testRenderer();
    try {
      const [first, second, elsewhere] = await Promise.all([
        renderer.render(run), renderer.render(run), other.render(run),
      ]);
      expect(sha256(second)).toBe(sha256(first));
      expect(sha256(elsewhere)).toBe(sha256(first));
    } finally {
      await other.close();
    }
  });

  it('gives every sketch the window it asks for, whatever was drawn before', async () => {
    const code = 'function setup() { createCanvas(windowWidth, windowHeight); noLoop(); }';
    for (const [width, height] of [[90, 60], [60, 90], [60, 90], [91, 60]] as const) {
      expect(await renderer.render(sketchRun(code, { width, height }))).toMatchObject({ width, height });
    }
  });

  it('gives the same bytes for WebGL', async () => {
    const run = sketchRun(
      `function setup() { createCanvas(80, 80, WEBGL); }
       function draw() { background(20); normalMaterial(); rotateX(random()); torus(25, 9); }`,
    );
    expect(sha256(await renderer.render(run))).toBe(sha256(await renderer.render(run)));
  });

  it.each([
    [HASH, [0.5889415799174458, 0.2705533488187939, 0.508549524936825]],
    [OTHER_HASHES[1]!, [0.9349019601941109, 0.07201446150429547, 0.9011408579535782]],
  ])("draws fxhash's own numbers from the first line on (%s)", async (hash, numbers) => {
    const code = `console.log([fxrand(), fxrand(), $fx.rand()]); $fx.rand.reset(); console.log(fxrand());`;
    expect(await printed(code, hash)).toEqual([numbers, numbers[0]]);
  });

  it('draws the same named streams as Node', async () => {
    const [math, own, p5] = (await printed(
      `console.log(Array.from({ length: 5 }, () => Math.random()));
       console.log(pseudorandoms(5));
       function setup() { console.log([random(), random(), random()]); }`,
    )) as number[][];
    const expected = (name: string, count: number) => Array.from({ length: count }, randomStream(HASH, name));
    expect(math).toEqual(expected('math', 5));
    expect(own).toEqual(expected('pseudorandom', 5));
    expect(p5).toEqual(expected('p5 random', 3));
  });

  it('moves no stream by drawing from another', async () => {
    const [plain] = await printed('console.log([Math.random(), fxrand(), pseudorandom()]);');
    const [stirred] = await printed(
      `crypto.randomUUID(); const numbers = [];
       for (const draw of [Math.random, fxrand, pseudorandom]) numbers.push(draw());
       console.log(numbers);`,
    );
    expect(stirred).toEqual(plain);
  });

  it("keeps p5's own sequence for a sketch that seeds itself", async () => {
    const code = 'function setup() { randomSeed(99); console.log([random(), random()]); }';
    expect(await printed(code, HASH)).toEqual(await printed(code, OTHER_HASHES[0]));
  });

  it('runs a clock of 1000/60 ms a frame from a fixed epoch', async () => {
    const { logs } = await renderer.render(
      sketchRun(`
        const start = Date.now();
        setTimeout(() => console.log('timeout', performance.now()), 40);
        setInterval(() => console.log('interval', Math.round(performance.now())), 25);
        function setup() {}
        function draw() {
          if (frameCount < 4) return;
          console.log('frame', performance.now(), Date.now() - start);
          noLoop();
        }
        const parts = new Date(2020, 1, 2);
        console.log(new Date().toISOString(), typeof Date(), parts.getMonth(), parts instanceof Date);`),
    );
    expect(logs).toEqual([
      '2024-01-01T00:00:00.000Z string 1 true',
      'interval 25', 'timeout 40', 'interval 50', 'frame 66.66666666666667 66',
    ]);
  });

  it('starts no worker: its clock and its randomness would be its own', async () => {
    const { logs } = await renderer.render(
      sketchRun(`
        const source = URL.createObjectURL(new Blob(['postMessage(Date.now())'], { type: 'text/javascript' }));
        let outcome;
        const heard = (what) => () => { outcome = what; };
        const worker = new Worker(source);
        worker.onmessage = heard('a worker');
        worker.onerror = heard('none');
        function draw() { if (outcome) { console.log(outcome); capture(); } }`),
    );
    expect(logs).toEqual(['Blocked: blob', 'none']);
  });

  it('stops the clock while something loads', async () => {
    const { logs } = await renderer.render(
      sketchRun(
        `fetch('data.json').then((answer) => answer.json()).then((data) => console.log(data.x, performance.now()));
         const image = new Image();
         image.onload = () => console.log('image', image.width, performance.now());
         image.src = 'dot.png';
         requestAnimationFrame(() => { document.body.append(document.createElement('canvas')); });`,
        { assets: { 'data.json': { bytes: Buffer.from('{"x":7}'), mimeType: 'application/json' }, 'dot.png': DOT } },
      ),
    );
    expect(logs.sort()).toEqual(['7 0', 'image 1 0']);
  });
});

const DOT = {
  mimeType: 'image/png',
  bytes: Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  ),
};
