import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from 'bullmq';
import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import { OutboundClient } from '#libs/outbound/outbound-client.js';
import { createServiceQueue } from '#libs/queue/index.js';
import { connectPostgresBackend } from '#libs/queue/postgres-backend.js';
import type { QueueBackend } from '#libs/queue/queue-backend.js';
import { connectRedisBackend } from '#libs/queue/redis-backend.js';
import type { ServiceQueue } from '#libs/queue/service-queue.js';
import { QuickJsSandbox } from '#libs/sandbox/quickjs/quickjs-sandbox.js';
import { directJobKind } from '#libs/workflows/kinds/direct-job.kind.js';
import { kindNode } from '../../test/factories/kind-node.js';
import { booksAreRight, generationRows, jobEnds, stepRuns } from '../../test/factories/reads.js';
import { buildRoad, type Road } from '../../test/factories/road.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { eventually } from '../../test/setup/eventually.js';
import { testRedisUrl } from '../../test/setup/redis.js';
import { directJobNode } from './direct-job.node.js';
import type { NodeContext } from './node.js';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const redisUrl = testRedisUrl();
type Work = (job: Job<JsonObject>) => Promise<Json>;

const carriers = [...(redisUrl ? ['redis' as const] : []), 'postgres' as const];

describe.each(carriers)('a direct_job step, on %s', (carrier) => {
  let outside: TestDatabase;
  let backend: QueueBackend;
  let services: ServiceQueue;
  let scripts: QuickJsSandbox;
  let client: OutboundClient;
  let road: Road;
  const opened: Array<{ close(): Promise<void> }> = [];

  /** A service outside: any BullMQ worker. */
  const serve = (work: Work): string => {
    const service = `svc-${randomUUID().slice(0, 8)}`;
    opened.push(new backend.classes.Worker(`direct.${service}`, work as never, { ...backend.workerOptions, concurrency: 20 }));
    return service;
  };
  const queueOf = (service: string) => {
    const queue = new backend.classes.Queue(`direct.${service}`, backend.queueOptions);
    opened.push(queue);
    return queue;
  };
  const submit = (job: JsonObject, more: JsonObject = {}, generations = 1) => road.submit({
    steps: [{ id: 1, nodeName: 'job', nodePayload: { data: { job, inputs: more['inputs'] ?? null }, ...more } as never }],
    lane: 'provider', generations,
  });
  async function ends(status: string, job: JsonObject, more: JsonObject = {}) {
    const { jobId, userId } = await submit(job, more);
    await jobEnds(road.database, jobId, status, 25_000);
    const runs = await stepRuns(road.database, jobId);
    return { jobId, userId, runs, value: runs.at(-1)?.output?.value, error: (await generationRows(road.database, jobId))[0]?.error };
  }
  const types = (jobId: string) =>
    road.database.query<{ mime_type: string }>('select mime_type from flat_file where job_id = $1 and shown order by id', [jobId]);

  beforeAll(async () => {
    outside = await createTestDatabase();
    const servers = { databaseUrl: outside.url, ...(carrier === 'redis' && { redisUrl }) };
    services = createServiceQueue(servers);
    await services.find('warm-up', 'nobody');
    backend = carrier === 'redis'
      ? await connectRedisBackend(redisUrl ?? '', 'bull', () => undefined)
      : await connectPostgresBackend(outside.url, () => undefined, 20);
    scripts = new QuickJsSandbox(1);
    client = new OutboundClient();
    road = await buildRoad({ nodes: [kindNode('job', directJobKind, directJobNode(services, scripts, client))] });
    road.worker().start();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.close()));
    await booksAreRight(road.database);
  });
  afterAll(async () => {
    await road.close();
    await services.close();
    await backend.close();
    await scripts.close();
    await client.close();
    await outside.close();
  });

  it('gives a service its payload with the values in place, and takes what it returns', async () => {
    const seen: Job<JsonObject>[] = [];
    const service = serve(async (job) => (seen.push(job), { text: `drawn: ${(job.data['payload'] as JsonObject)['prompt']}` }));
    const { value, userId } = await ends('completed', {
      service_required: service, payload: { prompt: '', n: 1 }, requirements: { gpu: true }, response_type: 'text', output_field: 'text',
      priority: 90,
    }, { values: { prompt: 'a fox' }, inputs: [{ id: 'prompt', pathJq: '.payload.prompt' }] });
    expect(value).toBe('drawn: a fox');
    expect(seen[0]?.data).toMatchObject({
      service_required: service, payload: { prompt: 'a fox', n: 1 }, requirements: { gpu: true }, customer_id: userId, priority: 90,
    });
    expect(seen[0]?.opts.priority).toBe(11);
  });

  it('reports progress while nobody holds a slot, and goes on as soon as the job ends', async () => {
    let finish = () => {};
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const service = serve(async (job) => {
      await job.updateProgress(40);
      await finished;
      return { ok: true };
    });
    const heard: number[] = [];
    const stop = road.bus.subscribe((message) => {
      if (message.kind === 'progress') heard.push(message.event.progress ?? -1);
    });
    const { jobId } = await submit({ service_required: service, response_type: 'json' });
    await eventually(async () => expect((await generationRows(road.database, jobId))[0]?.status).toBe('waiting'));
    await eventually(() => expect(heard).toContain(40));
    await sleep(2_500);
    const before = Date.now();
    finish();
    await jobEnds(road.database, jobId, 'completed');
    expect(Date.now() - before).toBeLessThan(2_000);
    stop();
  });

  it('adds a job once, however often it is told to, and again when the queue has lost it', async () => {
    const service = `late-${randomUUID().slice(0, 8)}`;
    const token = randomUUID();
    const payload = { service, job: { payload: {} }, placed: [], priority: 50, responseType: 'json', outputField: null, timeoutMs: 9_000 };
    const context = {
      payload, token, edition: { userId: 'u', jobId: 'j', generationId: 'g' }, signal: AbortSignal.timeout(9_000), assets: {},
      progress: () => undefined, wake: () => undefined,
    } as unknown as NodeContext;
    const node = directJobNode(services, scripts, client);
    const first = await node.run(context);
    await node.run(context);
    const queue = queueOf(service);
    expect(await queue.getJobCountByTypes('prioritized', 'waiting')).toBe(1);
    expect(await node.find!(context, token)).toMatchObject({ job: { service, id: token } });
    expect(await node.find!(context, randomUUID())).toBeNull();
    // What the queue has is lost no more: only losses in a row count.
    const held = { job: { service, id: token }, token, interval: 1, losses: 9 };
    expect(await node.poll!(context, held)).toMatchObject({ reference: { losses: 0 } });
    await queue.obliterate({ force: true });
    await node.poll!(context, (first as { reference: Json }).reference);
    expect(await queue.getJobCountByTypes('prioritized', 'waiting')).toBe(1);
  });

  // What follows does not depend on what carries the queue.
  if (carrier !== carriers[0]) return;

  it.each([
    ['a text', 'text', 'all of it', 'all of it', null, undefined],
    ['JSON as a text', 'text', { a: 1 }, '{"a":1}', null, undefined],
    ['a member of each of a list', 'json', { a: [{ b: 1 }, { b: 2 }] }, [1, 2], 'a.b', undefined],
    ['images', 'image', { images: [PNG, `data:image/png;base64,${PNG}`] }, null, 'images', ['image/png', 'image/png']],
    ['a file at its place', 'file', { out: [{ bytes: PNG }] }, null, 'out[0].bytes', ['image/png']],
  ])('takes %s', async (_what, response_type, returned, value, output_field, files) => {
    const service = serve(async () => returned);
    const made = await ends('completed', { service_required: service, response_type, output_field });
    expect(made.value).toEqual(value);
    expect((await types(made.jobId)).map(({ mime_type }) => mime_type)).toEqual(files ?? []);
  });

  it('tries a failed job again, each attempt a job of its own, and tells none of its words', async () => {
    const service = serve(async () => {
      throw new Error('out of paint');
    });
    const { runs, error } = await ends('failed', { service_required: service });
    expect(runs).toHaveLength(3);
    expect(error).toMatchObject({ code: 'UPSTREAM_ERROR', message: `The service ${service} failed` });
  });

  it('fails what has no output at its field, once', async () => {
    const { runs, error } = await ends('failed', { service_required: serve(async () => ({ a: 1 })), output_field: 'b.c' });
    expect([runs.length, error?.code]).toEqual([1, 'UPSTREAM_ERROR']);
  });

  it('fails a job that nobody takes in time, and takes it out of the queue', async () => {
    const service = `nobody-${randomUUID().slice(0, 8)}`;
    const { runs, error } = await ends('failed', { service_required: service, timeout: 1_000 });
    expect([runs.length, error?.code]).toEqual([1, 'STEP_TIMEOUT']);
    await road.cancels.sweep();
    const [attempt] = await road.database.query<{ token: string }>('select token from step_run order by id desc limit 1');
    expect(await services.find(service, attempt!.token)).toBeNull();
  });

  it('takes a cancelled job out of the queue, and tells a service that is at it', async () => {
    let data: () => Promise<JsonObject | undefined> = async () => undefined;
    const service = serve(async (job) => {
      const queue = queueOf(service);
      data = async () => (await queue.getJob(job.id as string))?.data as JsonObject;
      await sleep(3_000);
      return null;
    });
    const { jobId, userId } = await submit({ service_required: service });
    await eventually(async () => expect(await data()).toMatchObject({ service_required: service }));
    await eventually(async () => expect((await generationRows(road.database, jobId))[0]?.status).toBe('waiting'));
    await road.control.cancelJob(userId, jobId);
    await road.cancels.sweep();
    expect(await data()).toMatchObject({ cancelled: true });
  });
});
