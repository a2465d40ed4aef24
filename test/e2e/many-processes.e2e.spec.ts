import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrations } from '#libs/database/migrations/index.js';
import type { JobView } from '#libs/generations/job-view.js';
import type { Step } from '#libs/instruction-set/instruction-set.js';
import { createTestDatabase } from '../setup/database.js';
import { eventually } from '../setup/eventually.js';
import { startS3Server, type S3Server } from '../setup/s3/server.js';
import type { Client, Receipt } from './client.js';
import { busyStep, formWorkflow, quickStep } from './pipelines.js';
import { describeWithEachBackend, PlatenProcesses, type Api } from './platen-processes.js';
import { Program } from './program.js';

const MAIN = join(import.meta.dirname, '../../dist/src/main.js');
const METRICS_TOKEN = 'prometheus';
const SUBMITS_PER_MINUTE = 6;
const PLANS = JSON.stringify({ narrow: { submitsPerMinute: SUBMITS_PER_MINUTE } });
const PRICE = { base: 0, per_generation: 0.25 };
const STEPS: Step[] = [
  quickStep('first'),
  busyStep('slow', 10, { a: { $ref: 'first' } }),
  quickStep('last', { b: { $ref: 'slow' } }),
];
/** Queued, started and completed; and started, each of three steps twice, and completed. */
const EVENTS = 11;
const SKETCH = 'function setup() { createCanvas(windowWidth, windowHeight); background(200, 0, 0); }';

describeWithEachBackend('two API and three worker processes on one bucket', (variables) => {
  let bucket: S3Server;
  let platen: PlatenProcesses;
  let apis: [Api, Api];
  let workers: Program[];
  let artist: Client;
  let ids: { quick: string; steps: string; long: string; drawn: string };

  beforeAll(async () => {
    const settings = { METRICS_TOKEN, PLANS, WORKER_PORT: '0', WORKER_CONCURRENCY: '2' };
    bucket = await startS3Server();
    platen = await PlatenProcesses.prepare({ ...variables, ...settings, ...bucket.variables });
    const apisReady = Promise.all([platen.api(), platen.api()]);
    workers = await Promise.all([1, 2, 3].map(() => platen.worker()));
    apis = await apisReady;
    artist = await platen.richClient(apis[0], 100);
    const store = async (name: string, steps: Step[]) => {
      const workflow = { ...formWorkflow(name, PRICE, steps), visibility: 'public' };
      return (await artist.create<{ id: string }>('/workflows', workflow)).id;
    };
    ids = {
      quick: await store('quick', [quickStep('only')]),
      steps: await store('steps', STEPS),
      long: await store('long', [busyStep('long', 1_000)]),
      drawn: await store('drawn', [{ id: 'art', nodeName: 'p5', nodePayload: { code: SKETCH, width: 64, height: 64 } }]),
    };
  });
  afterAll(async () => {
    await platen.close();
    await bucket.close();
  });

  const submit = (client: Client, workflowId: string, headers: Record<string, string> = {}) =>
    client.create<Receipt>('/api/collections/generate', { title: 'One', workflow_id: workflowId }, headers);

  /** Sum of a counter over the workers that run. */
  async function sumOverWorkers(sample: string): Promise<number> {
    const pages = await Promise.all(workers.map(({ output }) => metricsAt(/its health at (\S+)/.exec(output)![1]!)));
    return pages.reduce((sum, page) => sum + valueIn(page, sample), 0);
  }

  it('work as one: submitted at one, streamed and cancelled at the other', async () => {
    const there = artist.at(apis[1]);
    const { job_id: jobId } = await submit(artist, ids.steps);
    const stream = await there.events(`/jobs/${jobId}/events`, 0);
    await stream.untilEnded(20_000);
    expect(stream.ids).toEqual(Array.from({ length: EVENTS }, (_, index) => index + 1));
    const { job_id: longId } = await submit(artist, ids.long);
    await eventually(async () => {
      expect((await artist.read<JobView>(`/jobs/${longId}`)).status).toBe('processing');
    }, 15_000);
    await there.create(`/jobs/${longId}/cancel`, {});
    expect(await artist.read(`/jobs/${longId}`)).toMatchObject({ status: 'cancelled', cost: { held: 0, captured: 0 } });
    expect(await there.read('/credits')).toMatchObject({ balance: 99.75, held: 0 });
  });

  it('count as one: a limit and a key are the same at both', async () => {
    const user = platen.client(apis[0]);
    await platen.grant(apis[0], user.userId, 10);
    const admin = platen.client(apis[1], undefined, 'admin');
    await admin.request('PUT', `/admin/accounts/${user.userId}`, { body: { plan: 'narrow' } });
    const key = { 'idempotency-key': 'the-same' };
    const receipts = await Promise.all(apis.map((api) => submit(user.at(api), ids.quick, key)));
    expect(receipts[0]!.job_id).toBe(receipts[1]!.job_id);
    const statuses: number[] = [];
    for (let index = 0; index < 18; index++) {
      const body = { title: 'One', workflow_id: ids.quick };
      statuses.push((await user.at(apis[index % 2]!).request('POST', '/api/collections/generate', { body })).status);
    }
    const taken = receipts.length + statuses.filter((status) => status === 201).length;
    expect(statuses.filter((status) => ![201, 429].includes(status))).toEqual([]);
    // Two that count for themselves would take twice as many. A count that comes too late lets one pass.
    expect(taken).toBeGreaterThanOrEqual(SUBMITS_PER_MINUTE);
    expect(taken).toBeLessThan(2 * SUBMITS_PER_MINUTE);
  });

  it('show one image: drawn by any of them, kept in the bucket, the same at both', async () => {
    const job = await artist.ended((await submit(artist, ids.drawn)).job_id);
    const { url, sha256, size } = job.generations[0]!.assets[0]!;
    for (const api of apis) {
      const { bytes } = await artist.at(api).download(url);
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
    }
    expect([...bucket.bucket.objects.values()].map((stored) => stored.size)).toContain(size);
  });

  it('draw drafts for each other', async () => {
    for (const api of apis) {
      const sketch = { code: SKETCH, width: 64, height: 64 };
      await eventually(async () => {
        const draft = await artist.at(api).create<{ image: string }>('/previews', sketch);
        expect(draft.image).toMatch(/^data:image\/png;base64,/);
      }, 30_000);
    }
    await eventually(async () => {
      expect(await sumOverWorkers('platen_previews_total{outcome="drawn"}')).toBeGreaterThanOrEqual(2);
    });
  });

  it('need no repair while all is well', async () => {
    for (const kind of ['lost_lease', 'timed_out']) {
      expect([kind, await sumOverWorkers(`platen_reconciler_repairs_total{kind="${kind}"}`)]).toEqual([kind, 0]);
    }
  });

  it('lose one of each in the middle of the work, and nothing else', async () => {
    const there = artist.at(apis[1]);
    const receipts = await Promise.all(Array.from({ length: 4 }, () => submit(artist, ids.steps)));
    const jobIds = receipts.map(({ job_id: jobId }) => jobId);
    const streams = await Promise.all(jobIds.map((jobId) => there.events(`/jobs/${jobId}/events`, 0)));
    await eventually(() => expect(workers.some(({ output }) => holdsOneOf(jobIds, output))).toBe(true), 15_000);
    const [dying] = workers.filter(({ output }) => holdsOneOf(jobIds, output)) as [Program];
    await Promise.all([dying.end('SIGKILL'), apis[0].program.end('SIGKILL')]);
    workers = workers.filter((worker) => worker !== dying);
    for (const stream of streams) await stream.untilEnded(40_000);
    const jobs = await Promise.all(jobIds.map((jobId) => there.ended(jobId)));
    const ends = jobs.map(({ status, generations }) => ({ status, error: generations[0]!.error }));
    expect(ends).toEqual(jobs.map(() => ({ status: 'completed', error: null })));
    for (const { ids: seen } of streams) expect(seen).toEqual(seen.map((_, index) => index + 1));
    expect(await platen.drift(apis[1])).toEqual([]);
    expect((await there.read<{ held: number }>('/credits')).held).toBe(0);
    await eventually(async () => {
      const page = await metricsAt(apis[1].url);
      expect(valueIn(page, 'platen_oldest_unfinished_age_seconds')).toBe(0);
    }, 15_000);
  });
});

const holdsOneOf = (jobIds: string[], output: string) => jobIds.some((jobId) => output.includes(jobId));

async function metricsAt(url: string): Promise<string> {
  const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } });
  expect(response.status).toBe(200);
  return response.text();
}

function valueIn(page: string, sample: string): number {
  const line = page.split('\n').find((text) => text.startsWith(`${sample} `));
  return line === undefined ? 0 : Number(line.slice(sample.length + 1));
}

it('migrations that are started all at once are run by one of them', async () => {
  const database = await createTestDatabase();
  const folder = mkdtempSync(join(tmpdir(), 'platen-migrations-'));
  try {
    await database.database.query('drop schema public cascade');
    await database.database.query('create schema public');
    const variables = { DATABASE_URL: database.url, PLATEN_HOME: folder };
    const programs = Array.from({ length: 5 }, () => new Program(['migrate'], variables, folder, MAIN));
    expect(await Promise.all(programs.map((program) => program.end()))).toEqual([0, 0, 0, 0, 0]);
    const ran = programs.flatMap(({ output }) => output.match(/^ran .+$/gm) ?? []);
    expect(ran).toHaveLength(migrations.length);
    expect(new Set(ran).size).toBe(migrations.length);
  } finally {
    await database.close();
    rmSync(folder, { recursive: true });
  }
});
