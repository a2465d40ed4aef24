import { randomUUID } from 'node:crypto';
import { testKeys } from '../../../test/factories/keys.js';
import { createCollection } from '../../../test/factories/asset.js';
import { submitJob, type JobPlan } from '../../../test/factories/job.js';
import { startTestApi, type TestApi } from '../../../test/setup/api.js';
import type { JobEvent } from '#libs/events/job-event.js';
import { claim } from '#libs/generations/claims.js';
import type { GenerationView, JobView } from '#libs/generations/job-view.js';

const steps = [{ id: 1, nodeName: 'p5', nodePayload: {} }, { id: 2, nodeName: 'prompt', nodePayload: {} }];

/** Answers of all these routes at once, as far as tests look into them by name. */
interface Body {
  code?: string;
  details?: Array<{ field: string }>;
  data: JobView & {
    items: Array<GenerationView & Pick<JobEvent, 'seq' | 'type'>>;
    next_cursor: string | null;
  };
}

describe('the jobs routes', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterEach(() => api.database.query('delete from job'));
  afterAll(() => api.close());

  const request = async (method: string, path: string, userId: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${api.url}${path}`, { method, headers: { ...api.as(userId), ...headers } });
    return { status: response.status, headers: response.headers, ...((await response.json()) as Body) };
  };
  const get = (path: string, userId: string) => request('GET', path, userId);
  const submit = (plan: Partial<JobPlan> = {}) => submitJob(api.database, { steps, ...plan });
  const change = (jobId: string, set: string, ...values: unknown[]) =>
    api.database.query(`update job set ${set} where id = $1`, [jobId, ...values]);
  const addRun = (generationId: string, run: Record<string, unknown>) => {
    const row: Record<string, unknown> = {
      generation_id: generationId, run: 1, step_id: 1, attempt: 1, node: 'p5', token: randomUUID(), ...run,
    };
    const names = Object.keys(row);
    return api.database.query(
      `insert into step_run (${names.join(', ')}) values (${names.map((_, i) => `$${i + 1}`).join(', ')})`,
      Object.values(row),
    );
  };
  const addAsset = (userId: string, jobId: string, generationId: string, shown: boolean, stepId = 1) =>
    api.database.query(
      `insert into flat_file (user_id, job_id, generation_id, step_id, index, name, storage_key, url, mime_type, size,
                              sha256, width, height, shown)
       values ($1, $2, $3, $4, 0, 'art.png', $5, $6, 'image/png', 10, 'ab', 4, 3, $7)`,
      [userId, jobId, generationId, stepId, `k/${stepId}.png`, `/files/k/${stepId}.png`, shown],
    );

  describe('GET /jobs/:id', () => {
    it('shows a waiting job with its place in the queue, its price and its generations', async () => {
      await submit({ generations: 3, firstTurn: 1 });
      const { jobId, userId, generationIds } = await submit({ generations: 2, firstTurn: 2, price: 1.5, basePrice: 1.5 });
      const before = Date.now();
      const { data } = await get(`/jobs/${jobId}`, userId);
      expect(data).toMatchObject({
        id: jobId, name: 'Test', description: null, job_type: 'collection_generation', status: 'pending',
        priority: 50, progress: 0, collection_id: null, workflow_id: null, workflow_version: null, tags: [],
        external_id: null, error: null, started_at: null, completed_at: null,
        cost: { total: 4.5, held: 4.5, captured: 0, released: 0 },
        counts: { total: 2, completed: 0, failed: 0, cancelled: 0 },
        urls: { job_status_url: `/jobs/${jobId}`, job_events_url: `/jobs/${jobId}/events`, collection_url: null },
      });
      expect(data.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(data.generations.map(({ id }) => id)).toEqual(generationIds);
      expect(data.generations[0]).toMatchObject({
        index: 0, status: 'pending', progress: 0, error: null, traits: [], steps: [], assets: [],
      });
      expect([2, 3]).toContain(data.queue_position);
      expect(Date.parse(data.estimated_completion!)).toBeGreaterThan(before);
    });

    it('counts those ahead by priority and turn, and nobody once it runs', async () => {
      await submit({ priority: 90, generations: 2 });
      await submit({ priority: 10 });
      await submit({ lane: 'chromium', priority: 100 });
      const { jobId, userId, generationIds } = await submit({ priority: 50, firstTurn: 7 });
      await submit({ priority: 50, firstTurn: 8 });
      await submit({ priority: 50, firstTurn: 6 });
      expect((await get(`/jobs/${jobId}`, userId)).data.queue_position).toBe(4);
      await change(jobId, "status = 'processing', started_at = now()");
      await api.database.query("update generation set status = 'processing' where id = any($1)", [generationIds]);
      const { data } = await get(`/jobs/${jobId}`, userId);
      expect(data).toMatchObject({ queue_position: null, estimated_completion: null });
    });

    it('shows the newest attempt of each step, and files only when they are paid', async () => {
      const { jobId, userId, generationIds: [first = '', second = ''] } = await submit({ generations: 2 });
      const failure = JSON.stringify({ code: 'OUTAGE', message: 'Try later' });
      await addRun(first, { status: 'failed', error: failure });
      await addRun(first, { attempt: 2, status: 'running', progress: 0.25, logs: JSON.stringify(['half']), alias: 'art' });
      await addRun(first, { step_id: 2, node: 'prompt', status: 'completed', output: JSON.stringify({ value: 'hello' }) });
      await addAsset(userId, jobId, first, false);
      await addAsset(userId, jobId, second, true);
      const { data } = await get(`/jobs/${jobId}`, userId);
      const [one, two] = data.generations;
      expect(one!.steps).toEqual([
        expect.objectContaining({
          step_id: '1', alias: 'art', node: 'p5', status: 'running', attempt: 2, progress: 25, logs: ['half'],
          error: null, completed_at: null, started_at: expect.stringMatching(/\.\d{3}Z$/),
        }),
        expect.objectContaining({ step_id: '2', alias: null, status: 'completed' }),
      ]);
      expect(one!.steps[1]).not.toHaveProperty('output');
      expect(one!.assets).toEqual([]);
      expect(two!.assets).toEqual([
        {
          id: expect.stringMatching(/^\d+$/), url: expect.stringContaining('/files/k/1.png?'), thumbnail_url: null,
          name: 'art.png', mime_type: 'image/png', size: 10, sha256: 'ab', width: 4, height: 3, duration: null,
          step_id: '1',
        },
      ]);
    });

    it('carries 100 generations; the rest is paged', async () => {
      const { jobId, userId } = await submit({ generations: 130 });
      expect((await get(`/jobs/${jobId}`, userId)).data.generations).toHaveLength(100);
      const indexes: number[] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const query = cursor ? `?limit=60&cursor=${cursor}` : '?limit=60';
        const { data }: Body = await get(`/jobs/${jobId}/generations${query}`, userId);
        indexes.push(...data.items.map(({ index }) => index));
        cursor = data.next_cursor;
      }
      expect(indexes).toEqual(Array.from({ length: 130 }, (_, index) => index));
    });
  });

  it('gives outputs up to 16 KiB with the generations', async () => {
    const { jobId, userId, generationIds: [id = ''] } = await submit();
    await addRun(id, { status: 'completed', output: JSON.stringify({ value: { answer: 42 }, assets: [{ storage_key: 'secret' }] }) });
    await addRun(id, { step_id: 2, status: 'completed', output: JSON.stringify({ value: 'x'.repeat(20_000) }) });
    const { data } = await get(`/jobs/${jobId}/generations`, userId);
    expect(data.items[0]!.steps[0]!.output).toEqual({ answer: 42 });
    expect(data.items[0]!.steps[1]).toMatchObject({ output_truncated: true });
    expect(data.items[0]!.steps[1]).not.toHaveProperty('output');
    expect(JSON.stringify(data)).not.toContain('secret');
  });

  describe('GET /jobs', () => {
    it('lists the newest first, page by page, only the caller’s', async () => {
      const userId = randomUUID();
      const mine: string[] = [];
      for (let i = 0; i < 5; i++) mine.unshift((await submit({ userId })).jobId);
      await submit();
      const listed: string[] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const { data }: Body = await get(`/jobs?limit=2${cursor ? `&cursor=${cursor}` : ''}`, userId);
        listed.push(...data.items.map(({ id }) => id));
        cursor = data.next_cursor;
      }
      expect(listed).toEqual(mine);
    });

    it('filters by what is asked, all at once', async () => {
      const userId = randomUUID();
      const [found, other] = [await submit({ userId }), await submit({ userId })];
      const collectionId = await createCollection(api.database, userId);
      await change(
        found.jobId,
        "status = 'failed', job_type = 'workflow_test', collection_id = $2, tags = '{a,b}', external_id = 'e-1'",
        collectionId,
      );
      await change(other.jobId, "tags = '{b}', external_id = 'e-2'");
      const ids = async (query: string) =>
        (await get(`/jobs?${query}`, userId)).data.items.map(({ id }) => id);
      for (const query of [
        'status=failed', 'job_type=workflow_test', `collection_id=${collectionId}`, 'tag=a', 'external_id=e-1',
        `status=failed&tag=b&external_id=e-1&collection_id=${collectionId}`,
      ]) {
        expect([query, await ids(query)]).toEqual([query, [found.jobId]]);
      }
      expect(await ids('tag=b')).toHaveLength(2);
      expect(await ids('tag=b&status=completed')).toEqual([]);
    });

    it.each(['status=done', 'limit=0', 'cursor=nonsense', 'colour=red'])('refuses ?%s', async (query) => {
      const answer = await get(`/jobs?${query}`, randomUUID());
      expect(answer).toMatchObject({ status: 400, code: 'VALIDATION_ERROR' });
      expect(answer.details?.[0]?.field).toBe(query.split('=')[0]);
    });
  });

  it('cancels, tells it in the history, and resumes for the full price', async () => {
    const { jobId, userId } = await submit({ generations: 2, price: 2 });
    const cancelled = await request('POST', `/jobs/${jobId}/cancel`, userId);
    expect(cancelled).toMatchObject({
      status: 200,
      data: { status: 'cancelled', cost: { total: 4, held: 0, captured: 0, released: 4 }, counts: { cancelled: 2 } },
    });
    expect(await request('POST', `/jobs/${jobId}/cancel`, userId)).toMatchObject({ status: 409, code: 'INVALID_JOB_STATUS' });
    const { data: history } = await get(`/jobs/${jobId}/history?limit=3`, userId);
    expect(history.items.map(({ seq, type }) => [seq, type])).toEqual([
      [1, 'job_queued'], [2, 'generation_cancelled'], [3, 'generation_cancelled'],
    ]);
    const { data: rest } = await get(`/jobs/${jobId}/history?cursor=${history.next_cursor}`, userId);
    expect(rest.items).toMatchObject([{ seq: 4, type: 'job_cancelled', job_id: jobId, status: 'cancelled' }]);
    expect(rest.next_cursor).toBeNull();

    const key = { 'idempotency-key': randomUUID() };
    const resumed = await request('POST', `/jobs/${jobId}/resume`, userId, key);
    expect(resumed).toMatchObject({ status: 200, data: { cost: { total: 4, held: 4, released: 4 } } });
    const replayed = await request('POST', `/jobs/${jobId}/resume`, userId, key);
    expect(replayed.headers.get('idempotency-replayed')).toBe('true');
    expect(replayed.data).toEqual(resumed.data);
    expect(await request('POST', `/jobs/${jobId}/resume`, userId)).toMatchObject({ status: 409, code: 'INVALID_JOB_STATUS' });
  });

  it('cancels and resumes one edition', async () => {
    const { jobId, userId } = await submit({ generations: 2 });
    const { data } = await request('POST', `/jobs/${jobId}/generations/1/cancel`, userId);
    expect(data.generations.map(({ status }) => status)).toEqual(['pending', 'cancelled']);
    const resumed = await request('POST', `/jobs/${jobId}/generations/1/resume`, userId);
    expect(resumed.data.generations[1]!.status).toBe('pending');
    expect(await request('POST', `/jobs/${jobId}/generations/1/resume`, userId)).toMatchObject({
      status: 409, code: 'INVALID_GENERATION_STATUS',
    });
    for (const index of ['2', '-1', 'x', '99999999999']) {
      expect(await request('POST', `/jobs/${jobId}/generations/${index}/cancel`, userId)).toMatchObject({
        status: 404, code: 'GENERATION_NOT_FOUND',
      });
    }
  });

  it('hides the jobs of others behind 404, on every route', async () => {
    const { jobId } = await submit();
    const stranger = randomUUID();
    const routes = [
      ['GET', ''], ['GET', '/generations'], ['GET', '/history'], ['GET', '/events'], ['POST', '/cancel'],
      ['POST', '/resume'], ['POST', '/generations/0/cancel'], ['POST', '/generations/0/resume'], ['POST', '/stream-token'],
    ];
    for (const [method = '', path] of routes) {
      expect([path, await request(method, `/jobs/${jobId}${path}`, stranger)]).toMatchObject([
        path, { status: 404, code: 'JOB_NOT_FOUND' },
      ]);
    }
    const collectionId = await createCollection(api.database, randomUUID());
    expect(await get(`/collections/${collectionId}/events`, stranger)).toMatchObject({ status: 404, code: 'COLLECTION_NOT_FOUND' });
    expect(await claim(api.database, testKeys(api.database), { lane: 'default', worker: 'w', idle: true })).toBeDefined();
  });
});
