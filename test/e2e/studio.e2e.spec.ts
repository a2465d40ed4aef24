import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import type { JobEvent } from '#libs/events/job-event.js';
import { ComfyStandIn } from '../setup/comfyui/stand-in.js';
import { readComponent } from '../../src/components/component-folder.js';
import { openBrowser, openPage, type WatchedPage } from '../setup/browser.js';
import { eventually } from '../setup/eventually.js';
import type { Client, Receipt } from './client.js';
import { busyStep, formWorkflow, FOUR_KINDS } from './pipelines.js';
import { PlatenProcesses, type Api } from './platen-processes.js';

const FIRST_SCRIPT_BYTES = 200_000;
const PHONE = { width: 360, height: 740 };
const DESK = { width: 1280, height: 900 };
/** Three editions whose first steps take their time. */
const SLOW = [busyStep('think', 20), busyStep('again', 20, { from: { $ref: 'think' } }), ...FOUR_KINDS];
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** What a lost server makes a browser say by itself. */
const UNREACHABLE = /ERR_(CONNECTION|INCOMPLETE|EMPTY)|Failed to load resource/;

const sleepless = { reducedMotion: 'reduce' } as const;

describe('the studio', () => {
  let comfy: ComfyStandIn;
  let platen: PlatenProcesses;
  let api: Api;
  let artist: Client;
  let browser: Browser;
  let workflowId: string;
  let made: Receipt;

  const open = async (path: string, options: Parameters<typeof openPage>[1] = {}): Promise<WatchedPage> => {
    const watched = await openPage(browser, { viewport: DESK, ...sleepless, ...options });
    await watched.page.goto(`${api.url}/studio${path}#token=${artist.token}`);
    return watched;
  };

  beforeAll(async () => {
    comfy = await ComfyStandIn.start({ models: { checkpoints: ['v1-5-pruned-emaonly-fp16.safetensors'] } });
    platen = await PlatenProcesses.prepare({ COMFYUI_URLS: comfy.url });
    [browser, api] = await Promise.all([openBrowser(), platen.api(), platen.worker()]);
    artist = await platen.richClient(api, 100);
    const create = (name: string, steps: typeof SLOW) =>
      artist.create<{ id: string }>('/workflows', formWorkflow(name, { base: 0.5, per_generation: 0.25 }, steps));
    await artist.create('/workflows', readComponent('examples/workflows/comfy-text-to-image').workflow);
    workflowId = (await create('rings', FOUR_KINDS)).id;
    await create('slow', SLOW);
  });
  afterAll(async () => {
    await browser.close();
    await platen.close();
    await comfy.close();
  });

  it('takes a newcomer from the address to a published collection', async () => {
    const { page, errors, close } = await open('');
    await page.getByRole('link', { name: 'rings' }).click();
    expect(page.url()).toBe(`${api.url}/studio/workflows/${workflowId}`);

    await page.getByLabel('Subject').fill('Saturn');
    await page.getByLabel('Editions').fill('2');
    await page.getByText('1 credit', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Generate' }).click();

    await page.getByRole('heading', { name: 'rings' }).waitFor();
    await eventually(async () => expect(await page.locator('.wall img').count()).toBe(2), 30_000);
    await page.getByRole('button', { name: 'Edition 1' }).click();
    await page.getByRole('dialog').getByText('Rings', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Close' }).click();

    await page.getByRole('button', { name: 'Publish' }).click();
    await page.getByRole('link', { name: 'Public page' }).click();
    await eventually(async () => expect(await page.locator('.wall img').count()).toBe(2), 30_000);
    expect(errors).toEqual([]);
    await close();
    const [job] = await artist.list<{ id: string; collection_id: string }>('/jobs');
    made = { job_id: job!.id, collection_id: job!.collection_id } as Receipt;
  });

  it('takes a graph of ComfyUI from its words to pictures', async () => {
    const { page, errors, close } = await open('');
    await page.getByRole('link', { name: 'Text to image' }).click();
    await page.getByRole('textbox', { name: 'Prompt' }).fill('a lighthouse in ink');
    await page.getByLabel('Editions').fill('2');
    await page.getByRole('button', { name: 'Generate' }).click();
    await eventually(async () => expect(await page.locator('.wall img').count()).toBe(2), 30_000);
    expect(comfy.executor.begun).toHaveLength(2);
    expect(errors).toEqual([]);
    await close();
  });

  it('makes the sketch as its preview shows it, byte by byte', async () => {
    const { page, errors, close } = await open('/sketch');
    const image = page.getByAltText('What the sketch draws with this hash');
    const shown = await image.getAttribute('src');
    await page.getByLabel('Editions').fill('1');
    await page.getByRole('button', { name: 'Generate' }).click();
    await page.locator('.wall img').waitFor();
    const id = page.url().split('/').at(-1);
    const { items: [job] } = await artist.read<{ items: Array<{ id: string }> }>(`/jobs?collection_id=${id}`);
    const { generations: [edition] } = await artist.ended(job!.id);
    const { bytes } = await artist.download(edition!.assets[0]!.url);
    expect(bytes.toString('base64')).toBe(shown!.split(',')[1]);
    expect(errors).toEqual([]);
    await close();
  });

  it('misses nothing when the API dies during a run', async () => {
    const slow = await artist.read<{ id: string }>('/workflows/name/slow');
    const { job_id: jobId } = await artist.create<Receipt>('/api/collections/generate', {
      title: 'Slow', workflow_id: slow.id, generations: 3,
    });
    const { page, errors, close } = await open(`/jobs/${jobId}`);
    await page.getByText('node started').first().waitFor();
    await api.program.end('SIGKILL');
    await page.getByText('Connection lost').waitFor();
    api = await platen.api({ PORT: new URL(api.url).port });
    await page.getByText('job completed').waitFor({ timeout: 60_000 });

    const history = await artist.list<JobEvent>(`/jobs/${jobId}/history`);
    expect(await numbersIn(page)).toEqual(history.map(({ seq }) => seq));
    await page.getByText('3 of 3').first().waitFor();
    expect(errors.filter((error) => !UNREACHABLE.test(error))).toEqual([]);
    await close();
  });

  it('is served with care: its own scripts alone, files that never change, and nothing that is not there', async () => {
    const page = await fetch(`${api.url}/studio/work`);
    expect(page.headers.get('content-security-policy')).toMatch("script-src 'self'; style-src 'self'; connect-src 'self'");
    expect(page.headers.get('cache-control')).toMatch('max-age=0');
    const [, script] = /src="([^"]+)"/.exec(await page.text())!;
    const file = await fetch(new URL(script!, api.url), { headers: { 'accept-encoding': 'br' } });
    expect(Object.fromEntries(file.headers)).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable', 'content-encoding': 'br', 'x-content-type-options': 'nosniff',
      'content-type': expect.stringMatching('javascript'),
    });
    const answers = ['nothing.js', '..%2f..%2f..%2fsrc%2fmain.js'].map((name) => artist.request('GET', `/studio/assets/${name}`));
    expect((await Promise.all(answers)).map(({ body }) => body.code)).toEqual(['NOT_FOUND', 'FORBIDDEN']);
  });

  it('asks for a token where it has none, and shows the gallery without', async () => {
    const { page, errors, close } = await openPage(browser);
    await page.goto(`${api.url}/studio/work`);
    await page.getByLabel('Access token').fill(artist.token);
    await page.getByRole('button', { name: 'Enter' }).click();
    await page.getByRole('heading', { name: 'Collections' }).waitFor();
    await close();
    const stranger = await openPage(browser);
    await stranger.page.goto(`${api.url}/studio/gallery`);
    await stranger.page.getByRole('link', { name: 'rings' }).waitFor();
    expect([...errors, ...stranger.errors]).toEqual([]);
    await stranger.close();
  });

  it('first loads less script than a picture', async () => {
    const { page, close } = await openPage(browser);
    const sizes: Array<Promise<number>> = [];
    page.on('response', (response) => {
      if (response.request().resourceType() === 'script') sizes.push(response.body().then(({ length }) => length));
    });
    await page.goto(`${api.url}/studio#token=${artist.token}`);
    await page.getByRole('link', { name: 'rings' }).waitFor();
    const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(FIRST_SCRIPT_BYTES);
    await close();
  });

  describe.each([
    ['on a desk, in light', { viewport: DESK, colorScheme: 'light' }],
    ['on a phone, in dark', { viewport: PHONE, colorScheme: 'dark' }],
  ] as const)('%s', (_where, options) => {
    it.each([
      ['the workflows', () => '', 'rings'],
      ['a form', () => `/workflows/${workflowId}`, 'about'],
      ['a collection', () => `/collections/${made.collection_id}`, 'rarity'],
      ['a job', () => `/jobs/${made.job_id}`, 'job completed'],
      ['a sketch', () => '/sketch', 'Drawn in'],
      ['all work', () => '/work', 'Collections'],
      ['the credits', () => '/credits', 'Spent'],
      ['the gallery', () => '/gallery', 'rings'],
      ['a public collection', () => `/gallery/${made.collection_id}`, 'Traits'],
    ])('shows %s to everyone: no violation of accessibility, nothing to the side, no error', async (_what, path, text) => {
      const { page, errors, close } = await open(path(), options);
      await page.getByText(text).first().waitFor();
      expect(await violationsIn(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(options.viewport.width);
      expect(errors).toEqual([]);
      await close();
    });
  });
});

/** Of the events that the page lists. */
const numbersIn = (page: Page): Promise<number[]> =>
  page.evaluate('[...document.querySelectorAll(".events li")].map(({ value }) => value)');

/** Serious and critical ones, with the elements that have them. */
async function violationsIn(page: Page): Promise<unknown> {
  await page.evaluate(AXE);
  return page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => ({ id, at: nodes.map(({ html, any }) => html + ' ' + any.map(({ message }) => message)) })))`);
}
