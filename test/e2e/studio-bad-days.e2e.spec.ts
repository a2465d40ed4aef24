import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser, Page, Request, Route } from 'playwright-core';
import { openBrowser, openPage } from '../setup/browser.js';
import { eventually } from '../setup/eventually.js';
import { root } from '../structure/sources.js';

const SITE = join(root, 'dist/apps/studio/site');
const ORIGIN = 'http://studio.example';
const TYPES: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css', '.html': 'text/html' };
const AT = '2026-01-01T00:00:00.000Z';

type Answer = { status?: number; data?: unknown; stream?: Array<{ id: string; event: string; data: unknown }>; afterMs?: number };
/** Of a stream that has nothing more to tell. */
const OVER = { status: 204 };

type Answers = Record<string, (request: Request) => Answer>;

/** The built studio, before an API that gives the answers of a bad day. */
describe('the studio on a bad day', () => {
  let browser: Browser;
  let close: () => Promise<void>;
  let asked: Request[];

  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());
  afterEach(() => close());

  const answer = async (route: Route, answers: Answers) => {
    const request = route.request();
    const { pathname } = new URL(request.url());
    if (pathname.startsWith('/studio')) return sendFile(route, pathname);
    asked.push(request);
    const { status = 200, data = null, stream, afterMs = 0 } = answers[`${request.method()} ${pathname}`]?.(request) ?? { status: 404 };
    if (stream) return route.fulfill({ contentType: 'text/event-stream', body: stream.map(textOf).join('') });
    if (status === OVER.status) return route.fulfill(OVER);
    const body = status < 300 ? { success: true, data, error: null } : { success: false, data: null, error: 'It cannot be.', code: 'CONFLICT' };
    await delay(afterMs);
    return route.fulfill({ status, json: body }).catch(() => undefined);
  };
  const open = async (path: string, answers: Answers): Promise<Page> => {
    asked = [];
    const watched = await openPage(browser, { reducedMotion: 'reduce' });
    close = watched.close;
    await watched.page.route('**/*', (route) => answer(route, { 'GET /credits': () => ({ data: CREDITS }), ...answers }));
    await watched.page.goto(`${ORIGIN}/studio${path}`);
    return watched.page;
  };
  const bodiesOf = (wanted: string) =>
    asked.filter((request) => `${request.method()} ${new URL(request.url()).pathname}` === wanted)
      .map((request) => request.postDataJSON() as Record<string, unknown>);

  it('takes the token of an address that is opened in its tab, out of the address too', async () => {
    const page = await open('/credits#token=%', {});
    await page.evaluate("location.hash = '#token=good'");
    await page.getByText('7').first().waitFor();
    expect(page.url()).toBe(`${ORIGIN}/studio/credits`);
    expect(asked.at(-1)?.headers()['authorization']).toBe('Bearer good');
  });

  it('works where nothing can be kept', async () => {
    const page = await open('/gallery', { 'GET /collections': () => ({ data: pageOf([]) }) });
    const off = "({ get() { throw new DOMException('off', 'SecurityError'); } })";
    await page.addInitScript(`for (const name of ['sessionStorage', 'localStorage']) Object.defineProperty(window, name, ${off})`);
    await page.goto(`${ORIGIN}/studio/sketch#token=good`);
    await page.reload();
    await page.getByLabel('Access token').waitFor();
    await page.goto(`${ORIGIN}/studio/sketch#token=good`);
    await page.getByRole('heading', { name: 'Sketch', exact: true }).waitFor();
  });

  it('asks again for a token that can be none', async () => {
    const page = await open('/credits', {});
    await page.getByLabel('Access token').fill('a token …');
    await page.getByRole('button', { name: 'Enter' }).click();
    expect(await page.getByLabel('Access token').isVisible()).toBe(true);
    expect(asked).toEqual([]);
  });

  it('shows what is open to all to those whose token has expired', async () => {
    const page = await open('/gallery#token=old', {
      'GET /collections': (request) => 'authorization' in request.headers() ? { status: 401 } : { data: pageOf([collection('Tides')]) },
      'GET /credits': () => ({ status: 401 }),
    });
    await page.getByRole('link', { name: 'Tides' }).waitFor();
  });

  it('shows each page of a list once, and nothing of another list', async () => {
    const page = await open('#token=good', {
      'GET /workflows': (request) => {
        const { searchParams } = new URL(request.url());
        if (searchParams.get('q') === 'c') return { data: pageOf([workflow('c')]) };
        return searchParams.has('cursor') ? { data: pageOf([workflow('b')]), afterMs: 100 } : { data: pageOf([workflow('a')], 'on') };
      },
    });
    await page.getByRole('button', { name: 'Show more' }).dblclick();
    await page.getByRole('link', { name: 'b' }).first().waitFor();
    await page.waitForTimeout(150);
    expect(await page.locator('.cards h2').allTextContents()).toEqual(['a', 'b']);
    await page.getByLabel('Search workflows').fill('c');
    await page.getByRole('link', { name: 'c', exact: false }).first().waitFor();
    await eventually(async () => expect(await page.locator('.cards h2').allTextContents()).toEqual(['c']));
  });

  it('makes one collection of a sketch, however often it takes', async () => {
    let tries = 0;
    const page = await open('/sketch#token=good', {
      'POST /projects/collections': () => ({ data: { id: 'c1' } }),
      'POST /collections/c1/generations': () => (++tries === 1 ? { status: 402 } : { data: {} }),
      'GET /collections/c1': () => ({ data: { ...collection('Sketch'), status: 'draft', data: null } }),
      'GET /jobs': () => ({ data: pageOf([]) }),
    });
    await page.getByRole('button', { name: 'Generate' }).click();
    await page.getByRole('alert').filter({ hasText: 'It cannot be.' }).last().waitFor();
    await page.getByRole('button', { name: 'Generate' }).click();
    await page.waitForURL('**/collections/c1');
    expect(bodiesOf('POST /projects/collections')).toHaveLength(1);
    const keys = asked.filter((request) => request.url().endsWith('/generations')).map((request) => request.headers()['idempotency-key']);
    expect(keys).toEqual([keys[0], keys[0]]);
  });

  it('orders what the form says of the collection', async () => {
    const page = await open('/workflows/w#token=good', {
      'GET /workflows/w': () => ({ data: workflow('w') }),
      'POST /api/collections/generate': () => ({ data: { collection_id: 'c1' } }),
    });
    await page.getByLabel('Description').fill(' Of the sea ');
    await page.getByLabel('Chain').selectOption('Tezos');
    await page.getByLabel('Price of an edition').fill('2.5');
    await page.getByLabel('Publish once').check();
    await page.getByRole('button', { name: 'Generate' }).click();
    await page.waitForURL('**/collections/c1');
    expect(bodiesOf('POST /api/collections/generate')).toEqual([
      {
        title: 'w', description: 'Of the sea', metadata: { blockchain: 'TEZOS', price: 2.5 }, options: { auto_publish: true },
        workflow_id: 'w', generations: 4, variables: {},
      },
    ]);
  });

  it('counts the editions of a job that is larger than its answer', async () => {
    const ended = { type: 'generation_completed', job_id: 'j', seq: 2, at: AT, generation_index: 500, generation_id: 'g500' };
    let streams = 0;
    const page = await open('/jobs/j#token=good', {
      'GET /jobs/j/events': () => streams++ > 0 ? OVER : {
        stream: [{ id: '1', event: 'snapshot', data: job('j', 1_000) }, { id: '2', event: ended.type, data: ended }],
      },
      'GET /jobs/j': () => ({ data: { ...job('j', 1_000), counts: { total: 1_000, completed: 1, failed: 0, cancelled: 0 } } }),
      'GET /jobs/j/history': () => ({ data: pageOf([]) }),
    });
    await eventually(async () => expect(await page.locator('.figures .main dd').textContent()).toBe('1 of 1000'));
    expect(await page.getByText('Held back').isVisible()).toBe(true);
  });

  it('follows all jobs of a collection on one connection, and numbers those too that it has no room for', async () => {
    const ids = Array.from({ length: 22 }, (_, index) => `j${index}`);
    const answers = Object.fromEntries(ids.map((id) => [`GET /jobs/${id}`, () => ({ data: job(id, 2) })]));
    let streams = 0;
    const done = { type: 'generation_completed', job_id: 'j21', seq: 9, at: AT, generation_index: 1, generation_id: 'j21-1' };
    const page = await open('/collections/c1#token=good', {
      ...answers,
      'GET /collections/c1': () => ({ data: { ...collection('Tides'), status: 'draft', data: null } }),
      'GET /collections/c1/events': () => streams++ > 0 ? OVER : {
        stream: [{ id: 'a', event: 'snapshot', data: { jobs: [] } }, { id: 'b', event: done.type, data: done }],
      },
      'GET /jobs': (request) => {
        const limit = Number(new URL(request.url()).searchParams.get('limit'));
        return { data: pageOf(ids.toReversed().slice(0, limit).map((id) => job(id, 2))) };
      },
      'GET /collections/c1/metadata': () => ({ data: pageOf([]) }),
    });
    await page.getByRole('button', { name: 'Edition 44, Finished' }).waitFor();
    expect(await page.locator('.wall li').count()).toBe(40);
    await page.getByText('And 4 more editions.').waitFor();
    expect(asked.filter((request) => /\/jobs\/.*\/events/.test(request.url()))).toEqual([]);
  });
});

const CREDITS = { balance: 7, held: 0, available: 7, plan: 'free', usage: {} };
const pageOf = (items: unknown[], next_cursor: string | null = null) => ({ items, next_cursor });
const collection = (title: string) => ({ id: 'c1', title, description: null, preview_images: [], images: [], cover_image_url: null, created_at: AT });
const workflow = (name: string) => ({
  id: name, name, label: name, description: null, type: 'pipeline', output_mime_type: 'image/png', data: { form: null },
  form_schema: { type: 'object' }, price: { base: 0, per_generation: { min: 0, max: 0 } }, estimated_duration: 1,
});
const job = (id: string, total: number) => ({
  id, name: 'Tides', status: 'processing', progress: 0, collection_id: null, counts: { total, completed: 0, failed: 0, cancelled: 0 },
  cost: { captured: 0, released: 0 }, error: null, queue_position: null, paused: true, created_at: AT, started_at: AT, completed_at: null,
  generations: Array.from({ length: Math.min(total, 100) }, (_, index) => ({
    id: `${id}-${index}`, index, hash: 'oo', status: 'processing', progress: 0, error: null, traits: [], steps: [], assets: [],
    started_at: AT, completed_at: null,
  })),
});
const textOf = ({ id, event, data }: { id: string; event: string; data: unknown }): string =>
  `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

async function sendFile(route: Route, pathname: string): Promise<void> {
  const file = pathname.startsWith('/studio/assets/') ? pathname.slice('/studio/'.length) : 'index.html';
  await route.fulfill({ contentType: TYPES[extname(file)] ?? '', body: readFileSync(join(SITE, file)) });
}
