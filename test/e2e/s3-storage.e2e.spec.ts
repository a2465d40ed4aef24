import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AssetView } from '#libs/assets/asset-view.js';
import type { CollectionView } from '#libs/collections/collection.js';
import type { JobEvent } from '#libs/events/job-event.js';
import type { JobView } from '#libs/generations/job-view.js';
import type { Step } from '#libs/instruction-set/instruction-set.js';
import { eventually } from '../setup/eventually.js';
import { FaultyWay, type Passing } from '../setup/faulty-way.js';
import { startS3Server, type S3Server } from '../setup/s3/server.js';
import type { Client, Receipt } from './client.js';
import { formWorkflow } from './pipelines.js';
import { PlatenProcesses, type Api } from './platen-processes.js';

const DOTS: Step[] = [
  {
    id: 'art', nodeName: 'p5', alias: 'art',
    nodePayload: {
      code: `function setup() {
        createCanvas(64, 64);
        for (let n = 0; n < 50; n++) circle(random(64), random(64), 9);
        noLoop();
      }`,
    },
  },
];
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('an API and a worker on machines of their own, with their files in S3', () => {
  let platen: PlatenProcesses;
  let server: S3Server;
  let way: FaultyWay;
  let api: Api;
  let artist: Client;
  let workflowId: string;
  const machine = () => ({ PLATEN_HOME: mkdtempSync(join(tmpdir(), 'platen-machine-')) });
  const machines = [machine(), machine()] as const;

  beforeAll(async () => {
    server = await startS3Server();
    way = await FaultyWay.to(server.url);
    platen = await PlatenProcesses.prepare({ ...server.variables, AWS_ENDPOINT_URL_S3: way.url });
    [api] = await Promise.all([platen.api(machines[0]), platen.worker(machines[1])]);
    artist = await platen.richClient(api, 10);
    const workflow = formWorkflow('dots', { base: 0, per_generation: 1 }, DOTS);
    workflowId = (await artist.create<{ id: string }>('/workflows', workflow)).id;
  });
  beforeEach(() => {
    way.plan = () => null;
  });
  afterAll(async () => {
    await platen.close();
    await way.close();
    await server.close();
    for (const { PLATEN_HOME } of machines) rmSync(PLATEN_HOME, { recursive: true });
  });

  const generate = async (): Promise<JobView> => {
    const request = { title: 'Dots', workflow_id: workflowId };
    const { job_id: jobId } = await artist.create<Receipt>('/api/collections/generate', request);
    return artist.ended(jobId);
  };
  const assetOf = (job: JobView): AssetView => job.generations[0]!.assets[0]!;
  const keyOf = ({ url }: AssetView) => new URL(url, api.url).pathname.replace('/files/', '');

  it('make an image, show it, serve it in parts, and delete it with its bytes', async () => {
    const asset = assetOf(await generate());
    const file = await artist.download(asset.url);
    expect([file.status, file.type, sha256(file.bytes)]).toEqual([200, 'image/png', asset.sha256]);
    const part = await fetch(new URL(asset.url, api.url), { headers: { range: 'bytes=1-3' } });
    expect([part.status, await part.text()]).toEqual([206, 'PNG']);
    expect(server.bucket.objects.get(keyOf(asset))).toMatchObject({
      size: asset.size, headers: { 'content-type': 'image/png', 'cache-control': 'max-age=3600' },
    });
    expect((await artist.request('DELETE', `/assets/${asset.id}`)).status).toBe(200);
    await eventually(() => expect(server.bucket.objects.has(keyOf(asset))).toBe(false));
    expect((await artist.download(asset.url)).status).toBe(404);
  });

  it('make thumbnails of it and a cover of its collection, which go when it goes', async () => {
    const job = await generate();
    const { id } = assetOf(job);
    const collection = () => artist.read<CollectionView>(`/collections/${job.collection_id}`);
    await eventually(async () => expect((await collection()).cover_image_url).not.toBeNull(), 30_000);
    const { cover_image_url, preview_images } = await collection();
    const { thumbnail_url } = await artist.read<AssetView>(`/assets/${id}`);
    expect(preview_images).toEqual([thumbnail_url]);
    for (const url of [thumbnail_url, cover_image_url]) {
      const file = await artist.download(url as string);
      expect([file.status, file.type, file.bytes.toString('latin1', 8, 12)]).toEqual([200, 'image/webp', 'WEBP']);
    }
    await artist.request('DELETE', `/assets/${id}`);
    const left = () => [...server.bucket.objects.keys()].filter((key) => key.startsWith(keyOf(assetOf(job))));
    await eventually(() => expect(left()).toEqual([]));
    await eventually(async () => expect((await collection()).cover_image_url).toBeNull(), 30_000);
  });

  it('lose and charge nothing while the storage takes no file: the step is tried again', async () => {
    let refused = 0;
    const isFile = ({ method, path }: Passing) => method === 'PUT' && /^generations\/[^?]*\.png(\?|$)/.test(path);
    way.plan = (passing) => (isFile(passing) && refused++ < 15 ? 'cut' : null);
    const job = await generate();
    expect(job).toMatchObject({ status: 'completed', cost: { total: 1, captured: 1, released: 0 } });
    expect(job.generations[0]!.steps).toMatchObject([{ status: 'completed', attempt: 2 }]);
    const events = await artist.list<JobEvent>(`/jobs/${job.id}/history`);
    const failures = events.filter(({ type }) => type === 'node_failed');
    expect(failures).toMatchObject([{ error: { code: 'STORAGE_FAILED' } }]);
    expect(sha256((await artist.download(assetOf(job).url)).bytes)).toBe(assetOf(job).sha256);
    expect(await platen.drift(api)).toEqual([]);
  });

  it('say that they are away, not that they failed, while the storage is', async () => {
    const asset = assetOf(await generate());
    way.plan = () => 'cut';
    const uploading = artist.upload('/assets', new File(['a,b'], 'a.csv', { type: 'text/csv' }));
    await expect(uploading).rejects.toThrow('SERVICE_UNAVAILABLE');
    expect((await artist.download(asset.url)).status).toBe(503);
    expect((await artist.request('GET', '/health/ready')).status).toBe(503);
    way.plan = () => null;
    const names = (await artist.list<AssetView>('/assets')).map(({ name }) => name);
    expect(names).not.toContain('a.csv');
    expect((await artist.download(asset.url)).status).toBe(200);
  });

  it('can send clients to the bucket itself', async () => {
    const redirecting = await platen.api({ ...machines[0], STORAGE_REDIRECT: 'true' });
    const asset = assetOf(await generate());
    const answer = await fetch(new URL(asset.url, redirecting.url), { redirect: 'manual' });
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([302, 'no-store']);
    const place = answer.headers.get('location') as string;
    expect(place.startsWith(`${way.url}/platen/${keyOf(asset)}?`)).toBe(true);
    const file = await fetch(place);
    expect(file.headers.get('content-disposition')).toMatch(/^inline; /);
    expect(sha256(Buffer.from(await file.arrayBuffer()))).toBe(asset.sha256);
    const known = { headers: { 'if-none-match': `"${asset.sha256}"` } };
    expect((await fetch(new URL(asset.url, redirecting.url), known)).status).toBe(304);
    const head = await fetch(new URL(asset.url, redirecting.url), { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(asset.size));
  });
});
