import { sha256, sketchRun, testRenderer } from '../../../test/factories/sketch-run.js';
import { SketchPage } from './sketch-page.js';

const renderer = testRenderer();
afterAll(() => renderer.close());

/** Long enough for what has to come from other processes of the browser. */
const TIME_MS = 2_500;

/** The console of a sketch that never ends: what it asked for comes when it comes. */
async function consoleOf(code: string): Promise<string[]> {
  const endless = `${code}\nfunction draw() { if (frameCount < 0) capture(); }`;
  const rendering = renderer.render(sketchRun(endless, { timeLimitMs: TIME_MS }));
  const failure = (await rendering.catch((error: unknown) => error)) as { reason: string; logs: string[] };
  expect(failure).toMatchObject({ name: 'SketchError', reason: 'time_limit' });
  return failure.logs;
}

/** The console of a sketch that ends well once `settled` has, so that its page is kept for its job. */
async function goodConsoleOf(job: string, code: string): Promise<string[]> {
  const ending = `${code}\nlet over = false; settled.then(() => { over = true; });\nfunction draw() { if (over) capture(); }`;
  const { logs } = await renderer.render(sketchRun(ending, { job }));
  return logs;
}

/** Leaves a mark wherever a page can. */
const LEAVE = `
  const places = {
    localStorage: () => localStorage.setItem('mark', 'left'), sessionStorage: () => sessionStorage.setItem('mark', 'left'),
    cookie: () => { document.cookie = 'mark=left; max-age=9999; path=/'; }, name: () => { window.name = 'left'; },
    database: () => new Promise((resolve, reject) => {
      const opening = indexedDB.open('mark', 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore('mark').put('left', 'mark');
      opening.onsuccess = resolve; opening.onerror = reject;
    }),
    cache: () => caches.open('mark').then((cache) => cache.put('/mark', new Response('left'))),
    file: async () => (await navigator.storage.getDirectory()).getFileHandle('mark', { create: true }),
    worker: () => navigator.serviceWorker.register('/sketch.js'),
    lock: () => { navigator.locks.request('mark', () => { console.log('left lock'); return new Promise(() => {}); }); },
    state: () => history.replaceState('left', '', '/'),
    channel: () => { const channel = new BroadcastChannel('mark'); setInterval(() => channel.postMessage('left'), 16); },
  };
  const settled = Promise.all(Object.entries(places).map(([name, leave]) =>
    Promise.resolve().then(leave).then(() => console.log('left', name)).catch((error) => console.log('kept from', name))));`;

/** Looks for marks, and says of each place whether there is one. */
const LOOK = `
  const looks = {
    localStorage: () => localStorage.getItem('mark'), sessionStorage: () => sessionStorage.getItem('mark'),
    cookie: () => document.cookie, name: () => window.name, state: () => history.state,
    database: async () => (await indexedDB.databases()).length,
    cache: async () => (await caches.keys()).length,
    file: async () => { for await (const name of (await navigator.storage.getDirectory()).keys()) return name; },
    worker: async () => (await navigator.serviceWorker.getRegistrations()).length,
    lock: async () => (await navigator.locks.query()).held.length,
  };
  new BroadcastChannel('mark').onmessage = () => console.log('found channel');
  const settled = Promise.all(Object.entries(looks).map(([name, look]) =>
    Promise.resolve().then(look).then((mark) => console.log(mark ? 'found' : 'nothing', name)).catch(() => console.log('nothing', name))));`;

const found = (lines: string[]) => lines.filter((line) => line.startsWith('found'));

it('a sketch leaves nothing to those after it', async () => {
  const left = await consoleOf(LEAVE);
  // Else there would be nothing to find.
  expect(left).toEqual(expect.arrayContaining(['left localStorage', 'left cookie', 'left database', 'left name']));
  const seen = await consoleOf(LOOK);
  expect(seen).toEqual(expect.arrayContaining(['nothing localStorage', 'nothing cookie', 'nothing database', 'nothing name']));
  expect(found(seen)).toEqual([]);
});

it('a sketch sees and hears nothing of one that is drawn beside it', async () => {
  const [, seen] = await Promise.all([consoleOf(LEAVE), consoleOf(LOOK)]);
  expect(seen.length).toBeGreaterThan(5);
  expect(found(seen)).toEqual([]);
});

it('an edition leaves nothing to the next of its job, which gets a fresh document in the same page', async () => {
  const opened = jest.spyOn(SketchPage, 'open');
  expect(await goodConsoleOf('left', LEAVE)).toEqual(expect.arrayContaining(['left localStorage', 'left database', 'left name']));
  const pages = [opened.mock.calls.length];
  for (let edition = 0; edition < 4; edition++) {
    const seen = await goodConsoleOf('left', `${LOOK}\nif (window.platen || window.left) console.log('found global'); window.left = 1;`);
    expect(seen).toEqual(expect.arrayContaining(['nothing localStorage', 'nothing database', 'nothing name', 'nothing file']));
    expect(found(seen)).toEqual([]);
    pages.push(opened.mock.calls.length);
  }
  // A busy machine may not have the page ready in time, and opens another.
  expect(pages.some((count, edition) => count === pages[edition - 1])).toBe(true);
  const before = opened.mock.calls.length;
  await goodConsoleOf('another', LOOK);
  expect(opened.mock.calls.length).toBeGreaterThan(before);
  opened.mockRestore();
});

it('an edition knows nothing of where its page has been', async () => {
  const code = `
    console.log(history.length, document.referrer, performance.getEntriesByType('navigation').map(({ type }) => type));
    console.log(window.navigation?.entries().map(({ url, index }) => [url, index]), window.navigation?.activation?.from?.url);
    history.pushState('left', '', '/?left'); window.navigation?.updateCurrentEntry({ state: 'left' });
    const settled = Promise.resolve();`;
  const first = await goodConsoleOf('past', code);
  expect(first.length).toBe(2);
  expect(await goodConsoleOf('past', code)).toEqual(first);
  expect(await goodConsoleOf('past', code)).toEqual(first);
});

it('an edition that will not go is not waited for, and cannot stand in for the next', async () => {
  const picture = 'function setup() { createCanvas(64, 64); background(random(255), 9, 9); noLoop(); }';
  const alone = sha256(await renderer.render(sketchRun(picture)));
  const clinging = `${picture}
    onbeforeunload = () => 'stay'; onpagehide = () => { const until = Date.now() + 1e9; while (Date.now() < until) fetch('/.platen/edition.js'); };
    setInterval(() => { fetch('/.platen/edition.js').catch(() => {}); location.href = '/'; }, 0);`;
  for (const code of [clinging, picture]) {
    expect(sha256(await renderer.render(sketchRun(code, { job: 'clinging' })))).toBe(alone);
  }
}, 30_000);

const FOREIGN = [
  'file:///etc/passwd', 'chrome://version', 'chrome://gpu', 'view-source:http://sketch.localhost/', 'devtools://devtools/',
  'chrome-extension://a/', 'filesystem:http://sketch.localhost/temporary/a', 'ftp://127.0.0.1/',
  'data:text/html,<script>top.postMessage("x", "*")</script>', 'http://other.localhost/',
];

it('a sketch gets to see no file, nothing of the browser and no other page', async () => {
  const seen = await consoleOf(`
    onmessage = () => console.log('found message');
    const INSIDE = /root:|Chromium|--type=/;
    const look = (name, read) => Promise.resolve().then(read)
      .then((text) => INSIDE.test(text) && console.log('found', name)).catch(() => {});
    const add = (name, properties) => document.body.appendChild(Object.assign(document.createElement(name), properties));
    for (const url of ${JSON.stringify(FOREIGN)}) {
      const frame = add('iframe', { src: url });
      const opened = window.open(url);
      if (opened) console.log('found window', url);
      look('fetch ' + url, () => fetch(url).then((answer) => answer.text()));
      look('import ' + url, () => import(url).then(() => 'root:'));
      look('request ' + url, () => {
        const request = new XMLHttpRequest(); request.open('GET', url, false); request.send(); return request.responseText;
      });
      add('object', { data: url });
      setTimeout(() => look('frame ' + url, () => frame.contentDocument?.documentElement?.outerHTML ?? ''), 3000);
    }
    add('a', { href: 'data:,x', download: 'x' }).click();
    print();
    console.log('tried');`);
  expect(seen).toContain('tried');
  expect(found(seen)).toEqual([]);
});
