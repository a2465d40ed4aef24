import { createHash } from 'node:crypto';
import sharp from 'sharp';
import type { PublicCollectionView } from '#libs/collections/collections.js';
import type { CollectionView } from '#libs/collections/collection.js';
import type { LedgerEntryView } from '#libs/credits/account-view.js';
import type { GenerationView, JobView } from '#libs/generations/job-view.js';
import { generationsOf, type Client, type Receipt } from './client.js';
import { formWorkflow, FOUR_KINDS, setOfHashes } from './pipelines.js';
import { describeWithEachBackend, PlatenProcesses, type Api } from './platen-processes.js';
import type { Program } from './program.js';

const NODE_PRICES = JSON.stringify({ p5: 0.2, prompt: 0.01 });
const GRANTED = 10;

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const hashesOf = ({ generations }: JobView) => generations.map(({ hash }) => hash);
const digestsOf = ({ generations }: JobView) => generations.map(({ assets }) => assets[0]!.sha256);
const outputOf = ({ steps }: GenerationView, node: string) =>
  steps.find((step) => step.node === node)!.output;

describeWithEachBackend('a collection of three editions', (variables) => {
  let platen: PlatenProcesses;
  let api: Api;
  let worker: Program;
  let artist: Client;
  let receipt: Receipt;
  let first: JobView;

  beforeAll(async () => {
    platen = await PlatenProcesses.prepare({ ...variables, NODE_PRICES });
    [api, worker] = await Promise.all([platen.api(), platen.worker()]);
    artist = await platen.richClient(api, GRANTED);
    const workflow = formWorkflow('rings', { base: 0.5, per_generation: 0.25 }, FOUR_KINDS);
    const { id } = await artist.create<{ id: string }>('/workflows', workflow);
    const request = { title: 'Rings', workflow_id: id, generations: 3, variables: { side: 150 } };
    receipt = await artist.create<Receipt>('/api/collections/generate', request);
    first = await artist.ended(receipt.job_id);
  });
  afterAll(() => platen.close());

  /** A collection of these hashes, made by way of a draft. */
  async function generateAgain(hashes: string[]): Promise<JobView> {
    const data = setOfHashes(FOUR_KINDS, hashes, { subject: 'Rings', side: 150 });
    const draft = await artist.create<CollectionView>('/projects/collections', { title: 'Again', data });
    const { job_id: jobId } = await artist.create<Receipt>(`/collections/${draft.id}/generations`, {});
    return artist.ended(jobId);
  }

  it('is three different images, each as large as its own steps say', async () => {
    expect(first).toMatchObject({ status: 'completed', progress: 100, error: null });
    expect(new Set(hashesOf(first)).size).toBe(3);
    expect(new Set(digestsOf(first)).size).toBe(3);
    for (const generation of await generationsOf(artist, first.id)) {
      const line = outputOf(generation, 'prompt') as string;
      const { Palette } = outputOf(generation, 'variables') as { Palette: string };
      expect(line).toMatch(new RegExp(`^Rings in ${Palette}, (quiet|loud)$`));
      expect(outputOf(generation, 'javascript')).toMatchObject({
        side: 150 + line.length,
        caption: `Of ${Palette}: ${line}`,
      });
      const [width, height] = [150 + line.length, 150 + line.length];
      expect(generation.assets).toMatchObject([{ mime_type: 'image/png', width, height }]);
      expect(generation.traits).toEqual(
        expect.arrayContaining([
          { trait_type: 'Palette', value: Palette },
          { trait_type: 'Rings', value: expect.any(Number) },
        ]),
      );
    }
  });

  it('can be downloaded as what it is said to be', async () => {
    for (const { assets: [asset] } of first.generations) {
      const file = await artist.download(asset!.url);
      expect(file).toMatchObject({ status: 200, type: 'image/png' });
      expect([file.bytes.length, sha256(file.bytes)]).toEqual([asset!.size, asset!.sha256]);
      expect(await sharp(file.bytes).metadata()).toMatchObject({ format: 'png', width: asset!.width });
    }
  });

  it('is shown whole to its owner, and not at all to others while it is a draft', async () => {
    const path = `/collections/${receipt.collection_id}`;
    const own = await artist.read<CollectionView>(path);
    expect(own).toMatchObject({ title: 'Rings', status: 'draft' });
    expect(own.images).toHaveLength(3);
    const shown = await artist.read<PublicCollectionView>(`${path}/public`);
    expect(shown.assets.map((asset) => asset.sha256).sort()).toEqual(digestsOf(first).sort());
    expect(shown).toMatchObject({ generations: 3 });
    expect(shown).not.toHaveProperty('data');
    for (const hidden of [path, `${path}/public`, `/jobs/${first.id}`]) {
      expect((await platen.client(api).request('GET', hidden)).status).toBe(404);
    }
  });

  it('costs its base once and each edition its price, in a ledger that adds up', async () => {
    const cost = { total_credits: 1.25, per_generation: 0.25, workflow_base_cost: 0.5 };
    expect(receipt.cost_breakdown).toEqual(cost);
    expect(first.cost).toEqual({ total: 1.25, held: 0, captured: 1.25, released: 0 });
    expect(await artist.read('/credits')).toMatchObject({ balance: 8.75, held: 0, available: 8.75 });
    const entries = (await artist.list<LedgerEntryView>('/credits/ledger', 4)).reverse();
    const amounts = (type: string) =>
      entries.filter((entry) => entry.type === type).map(({ amount }) => amount).sort();
    expect(amounts('grant')).toEqual([GRANTED]);
    expect(amounts('hold')).toEqual([0.25, 0.25, 0.25, 0.5]);
    expect(amounts('capture')).toEqual([0.25, 0.25, 0.25, 0.5]);
    expect(entries).toHaveLength(9);
    expect(entries.at(-1)).toMatchObject({ balance_after: 8.75, held_after: 0, job_id: first.id });
    expect(await platen.drift(api)).toEqual([]);
  });

  it('is the same to the byte on another worker', async () => {
    const another = await platen.worker();
    expect(await worker.end('SIGTERM')).toBe(0);
    worker = another;
    const again = await generateAgain(hashesOf(first));
    expect(hashesOf(again)).toEqual(hashesOf(first));
    expect(digestsOf(again)).toEqual(digestsOf(first));
    expect(again.cost).toEqual({ total: 0.63, held: 0, captured: 0.63, released: 0 });
  });

  it('is the same to the byte after a restart of everything, and what was made is still there', async () => {
    expect(await Promise.all([api.program.end('SIGTERM'), worker.end('SIGTERM')])).toEqual([0, 0]);
    [api, worker] = await Promise.all([platen.api(), platen.worker()]);
    artist = artist.at(api);
    const kept = await artist.read<JobView>(`/jobs/${first.id}`);
    expect(digestsOf(kept)).toEqual(digestsOf(first));
    expect((await artist.download(kept.generations[0]!.assets[0]!.url)).status).toBe(200);
    // Editions that exist may be made again.
    const path = `/collections/${receipt.collection_id}/generations`;
    const { job_id: jobId } = await artist.create<Receipt>(path, { generations: 1 });
    const [edition] = (await artist.ended(jobId)).generations;
    const again = await generateAgain([...hashesOf(first), edition!.hash]);
    expect(digestsOf(again)).toEqual([...digestsOf(first), edition!.assets[0]!.sha256]);
    expect(await platen.drift(api)).toEqual([]);
  });
});
