import { renameSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type { AssetView } from '#libs/assets/asset-view.js';
import type { CollectionView } from '#libs/collections/collection.js';
import type { PublicCollectionView } from '#libs/collections/collections.js';
import type { LedgerEntryView } from '#libs/credits/account-view.js';
import type { JobEvent } from '#libs/events/job-event.js';
import type { JobView } from '#libs/generations/job-view.js';
import type { Step } from '#libs/instruction-set/instruction-set.js';
import { eventually } from '../setup/eventually.js';
import { type Client, type Receipt } from './client.js';
import { formWorkflow, FOUR_KINDS } from './pipelines.js';
import { describeWithEachBackend, PlatenProcesses, type Api } from './platen-processes.js';

const PRICE = { base: 0.5, per_generation: 0.25 };

/** The pipeline with a last step that draws an uploaded image over the picture before. */
const withStamp = (stamp: AssetView): Step[] => [
  ...FOUR_KINDS,
  {
    id: 'stamped', nodeName: 'p5',
    nodePayload: {
      code: `
        let art, stamp;
        function preload() { art = loadImage('art.png'); stamp = loadImage('stamp.png'); }
        function setup() {
          createCanvas(art.width, art.height);
          image(art, 0, 0);
          image(stamp, 5, 5);
          noLoop();
        }
      `,
      assets: { 'art.png': { $ref: 'art' }, 'stamp.png': stamp.id },
    },
  },
];

/** What the steps before the last must have come to, however often the last was tried. */
const BEFORE = FOUR_KINDS.map(() => 'completed 1');

const attemptsOf = ({ generations }: JobView) =>
  generations.map(({ steps }) => steps.map(({ status, attempt }) => `${status} ${attempt}`));

describeWithEachBackend('a pipeline whose last step fails', (variables) => {
  let platen: PlatenProcesses;
  let api: Api;
  let artist: Client;
  let stamp: AssetView;
  let receipt: Receipt;

  beforeAll(async () => {
    platen = await PlatenProcesses.prepare(variables);
    [api] = await Promise.all([platen.api(), platen.worker()]);
    artist = await platen.richClient(api, 2);
    const red = sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } });
    const file = new File([new Uint8Array(await red.png().toBuffer())], 'stamp.png', { type: 'image/png' });
    stamp = await artist.upload<AssetView>('/assets', file);
    const workflow = formWorkflow('stamped', PRICE, withStamp(stamp));
    const { id } = await artist.create<{ id: string }>('/workflows', workflow);
    loseFile(stamp);
    receipt = await artist.create<Receipt>('/api/collections/generate', {
      title: 'Stamped', workflow_id: id, generations: 2, options: { auto_publish: true },
    });
  });
  afterAll(() => platen.close());

  const placeOf = ({ url }: AssetView) =>
    join(platen.storage, new URL(url, api.url).pathname.replace('/files/', ''));
  const loseFile = (asset: AssetView) => renameSync(placeOf(asset), `${placeOf(asset)}.lost`);
  const findFile = (asset: AssetView) => renameSync(`${placeOf(asset)}.lost`, placeOf(asset));

  it('fails, having finished all the steps before', async () => {
    const job = await artist.ended(receipt.job_id);
    expect(job).toMatchObject({ status: 'failed', cost: { total: 1, held: 0, captured: 0, released: 1 } });
    for (const { status, error, steps } of job.generations) {
      expect(status).toBe('failed');
      expect(error).toMatchObject({ code: 'ASSET_NOT_FOUND', step_id: steps.at(-1)!.step_id });
    }
    expect(attemptsOf(job)).toEqual([1, 2].map(() => [...BEFORE, 'failed 1']));
  });

  it('shows nothing of what was made, anywhere', async () => {
    const { generations } = await artist.read<JobView>(`/jobs/${receipt.job_id}`);
    expect(generations.flatMap(({ assets }) => assets)).toEqual([]);
    const path = `/collections/${receipt.collection_id}`;
    expect((await artist.read<CollectionView>(path)).images).toEqual([]);
    const shown = await artist.read<PublicCollectionView>(`${path}/public`);
    expect(shown).toMatchObject({ status: 'draft', assets: [], generations: 0 });
    expect((await artist.list<AssetView>('/assets')).map(({ id }) => id)).toEqual([stamp.id]);
    const events = await artist.list<JobEvent>(`/jobs/${receipt.job_id}/history`, 10);
    const types = events.map(({ type }) => type);
    expect(types).not.toContain('image_generated');
    expect(types.filter((type) => type === 'generation_failed')).toHaveLength(2);
    expect(types.at(-1)).toBe('job_failed');
    expect(JSON.stringify(events)).not.toContain('/files/');
  });

  it('gives out no file of it, even to who knows where it lies', async () => {
    const files = await readdir(platen.storage, { recursive: true });
    const made = files.filter((path) => /^generations.*\.png$/.test(path));
    expect(made).toHaveLength(2);
    for (const path of made) expect((await artist.download(`/files/${path}`)).status).toBe(404);
  });

  it('costs nothing', async () => {
    expect(await artist.read('/credits')).toMatchObject({ balance: 2, held: 0, available: 2 });
    const entries = await artist.list<LedgerEntryView>('/credits/ledger');
    expect(entries.filter(({ type }) => type === 'capture')).toEqual([]);
    expect(await platen.drift(api)).toEqual([]);
  });

  it('is finished by a resume once the cause is gone, without running what was finished', async () => {
    findFile(stamp);
    const resumed = await artist.create<JobView>(`/jobs/${receipt.job_id}/resume`, {});
    expect(resumed.cost.held).toBe(1);
    const job = await artist.ended(receipt.job_id);
    expect(job).toMatchObject({ status: 'completed', error: null, cost: { held: 0, captured: 1 } });
    expect(attemptsOf(job)).toEqual([1, 2].map(() => [...BEFORE, 'completed 2']));
    const events = await artist.list<JobEvent>(`/jobs/${job.id}/history`);
    const started = events.filter(({ type }) => type === 'node_started');
    expect(started).toHaveLength(2 * (FOUR_KINDS.length + 1) + 2);
  });

  it('is then shown, published and paid, once', async () => {
    const stranger = platen.client(api);
    let shown!: PublicCollectionView;
    await eventually(async () => {
      shown = await stranger.read(`/collections/${receipt.collection_id}/public`);
    }, 10_000);
    expect(shown).toMatchObject({ status: 'published', generations: 2 });
    expect(shown.assets).toHaveLength(2);
    for (const { url } of shown.assets) {
      const { bytes } = await stranger.download(url);
      const pixel = await sharp(bytes).extract({ left: 7, top: 7, width: 1, height: 1 }).raw().toBuffer();
      expect([...pixel.subarray(0, 3)]).toEqual([255, 0, 0]);
    }
    expect(await artist.read('/credits')).toMatchObject({ balance: 1, held: 0, available: 1 });
    expect(await platen.drift(api)).toEqual([]);
  });
});
