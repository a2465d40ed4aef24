import { eventually } from '../setup/eventually.js';
import { PrivateRedis } from '../setup/private-redis.js';
import { findTestRedis } from '../setup/redis-program.js';
import type { Client, Receipt } from './client.js';
import { busyStep, formWorkflow, quickStep } from './pipelines.js';
import { PlatenProcesses, type Api } from './platen-processes.js';

const STEPS = [
  quickStep('first'),
  busyStep('slow', 10, { a: { $ref: 'first' } }),
  quickStep('last', { b: { $ref: 'slow' } }),
];
/** Started, each of three steps twice, completed; and of the job: queued, started, completed. */
const EVENTS = 11;
const SUBMITS = 5;
/** No submit may wait for a Redis that is away. */
const SUBMIT_MS = 5_000;

(findTestRedis() ? describe : describe.skip)('Redis that is killed (skipped where there is none)', () => {
  let redis: PrivateRedis;
  let platen: PlatenProcesses;
  let api: Api;
  let artist: Client;
  let workflowId: string;

  beforeAll(async () => {
    redis = (await PrivateRedis.start())!;
    platen = await PlatenProcesses.prepare({ REDIS_URL: redis.url, LOG_LEVEL: 'error' });
    [api] = await Promise.all([platen.api(), platen.worker()]);
    artist = await platen.richClient(api, 100);
    const workflow = formWorkflow('steps', { base: 0, per_generation: 0.1 }, STEPS);
    workflowId = (await artist.create<{ id: string }>('/workflows', workflow)).id;
  });
  afterAll(async () => {
    await platen.close();
    await redis.kill();
  });

  const submit = (headers: Record<string, string> = {}) =>
    artist.create<Receipt>('/api/collections/generate', { title: 'Steps', workflow_id: workflowId }, headers);

  const expectReadiness = (degraded: string[]) =>
    eventually(async () => {
      expect(await artist.read('/health/ready')).toEqual({ status: 'ready', degraded });
    }, 15_000);

  async function expectAllPaid(jobs: number): Promise<void> {
    const captured = Math.round(jobs * 0.1e6) / 1e6;
    expect(await artist.read('/credits')).toMatchObject({ balance: 100 - captured, held: 0 });
    expect(await platen.drift(api)).toEqual([]);
  }

  it('holds an answer until the job has ended, and no longer than asked', async () => {
    const startedAt = Date.now();
    expect(await submit({ prefer: 'wait=30' })).toMatchObject({ status: 'completed' });
    expect(Date.now() - startedAt).toBeLessThan(20_000);
    const { id } = await artist.create<{ id: string }>(
      '/workflows', formWorkflow('long', { base: 0, per_generation: 0 }, [busyStep('long', 1_000)]),
    );
    const long = { title: 'Long', workflow_id: id };
    const held = await artist.create<Receipt>('/api/collections/generate', long, { prefer: 'wait=1' });
    expect(['pending', 'processing']).toContain(held.status);
    await artist.create(`/jobs/${held.job_id}/cancel`, {});
    await expectAllPaid(1);
  });

  it('stops nothing: what runs goes on, what is submitted is made, what is streamed arrives', async () => {
    const running = await submit();
    const stream = await artist.events(`/jobs/${running.job_id}/events`, 0);
    await eventually(() => expect(stream.ids.length).toBeGreaterThan(3));
    await redis.kill();
    const startedAt = Date.now();
    const receipts = await Promise.all(Array.from({ length: SUBMITS }, () => submit()));
    expect(Date.now() - startedAt).toBeLessThan(SUBMIT_MS);
    await expectReadiness(['redis']);
    const ended = await Promise.all([running, ...receipts].map(({ job_id: jobId }) => artist.ended(jobId)));
    expect(ended.map(({ status }) => status)).toEqual(ended.map(() => 'completed'));
    await stream.untilEnded(15_000);
    expect(stream.ids).toEqual(Array.from({ length: EVENTS }, (_, index) => index + 1));
    expect(await submit({ prefer: 'wait=30' })).toMatchObject({ status: 'completed' });
    await expectAllPaid(1 + 1 + SUBMITS + 1);
  });

  it('is used again as soon as it is back, with an empty memory', async () => {
    await redis.start();
    await expectReadiness([]);
    const { job_id: jobId } = await submit();
    const stream = await artist.events(`/jobs/${jobId}/events`, 0);
    await stream.untilEnded(20_000);
    expect(stream.received.at(-1)).toMatchObject({ event: 'job_completed' });
    await expectAllPaid(1 + 1 + SUBMITS + 1 + 1);
  });
});
