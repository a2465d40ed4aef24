import { createUser } from '../factories/job-submission.js';
import { eventually } from '../setup/eventually.js';
import { EventReader } from '../setup/event-source.js';
import { startBuiltApi, type BuiltApi } from './built-api.js';
import { call } from './calls.js';
import { FAILING, SKETCH, STEPS, workflow } from './drawn.js';
import { WireClient } from './wire-client.js';
import { expectWire } from './wire.js';

/** Drawing begins with unpacking a browser. */
const HELD = { prefer: 'wait=60' };

describe('on the wire', () => {
  let api: BuiltApi;
  let client: WireClient;
  let stranger: WireClient;
  let job: { job_id: string; collection_id: string; project_id: string; status: string };
  let failed: typeof job;
  let workflowId: string;

  beforeAll(async () => {
    api = await startBuiltApi();
    await api.startWorker();
    client = await WireClient.of(api, await createUser(api.database, 10));
    stranger = client.as(await createUser(api.database));
    ({ id: workflowId } = await client.ask<{ id: string }>('POST /workflows', { body: workflow('rings', STEPS) }));
    const { id: badId } = await client.ask<{ id: string }>('POST /workflows', { body: workflow('bad', FAILING) });
    const submit = (workflow_id: string, differs: object = {}) =>
      client.ask<typeof job>('POST /api/collections/generate', {
        body: { title: 'Rings', workflow_id, ...differs },
        headers: HELD,
      });
    [job, failed] = await Promise.all([
      submit(workflowId, {
        generations: 2,
        tags: ['one'],
        external_id: 'x',
        options: { auto_publish: true },
        metadata: {
          editions: 5,
          price: 0.5,
          blockchain: 'TEZOS',
          publish_date: '2026-01-31',
          cover_image_url: 'https://a.test/b',
        },
      }),
      submit(badId),
    ]);
  }, 120_000);
  afterAll(() => api?.close());

  it('is a submission, and the job that it made', async () => {
    expectWire('Submission', job);
    expect(job.status).toBe('completed');
    const found = await client.ask<{ generations: Array<{ traits: object[] }> }>('GET /jobs/:id', {
      at: { id: job.job_id },
    });
    expectWire('Job', found);
    expect(found).toMatchObject({
      name: 'Generate Collection: Rings',
      job_type: 'collection_auto_generation',
      status: 'completed',
      priority: 50,
      progress: 100,
      workflow_id: workflowId,
      workflow_version: 1,
      tags: ['one'],
      external_id: 'x',
      queue_position: null,
      error: null,
      cost: { total: 1, held: 0, captured: 1, released: 0 },
      urls: {
        job_status_url: `/jobs/${job.job_id}`,
        collection_url: `/collections/${job.collection_id}/public`,
      },
    });
    expect(found.generations).toHaveLength(2);
    expect(found.generations[0]!.traits).toEqual(
      expect.arrayContaining([
        { trait_type: 'Palette', value: 'ember' },
        { trait_type: 'Loud', value: true },
      ]),
    );
  });

  it('is a job that has failed, with the step and what was wrong', async () => {
    const found = await client.ask('GET /jobs/:id', { at: { id: failed.job_id } });
    expectWire('Job', found);
    expect(found).toMatchObject({
      status: 'failed',
      cost: { total: 0.75, held: 0, captured: 0, released: 0.75 },
      error: { code: expect.any(String), message: expect.any(String) },
      generations: [
        {
          status: 'failed',
          assets: [],
          error: { code: 'SCRIPT_ERROR', message: expect.stringContaining('no good') },
        },
      ],
    });
  });

  it('is a job that waits', async () => {
    const steps = [{ ...FAILING[0]!, nodePayload: { code: 'while (true);', time_limit_ms: 3_000 } }];
    const { id } = await client.ask<{ id: string }>('POST /workflows', { body: workflow('long', steps) });
    const body = { title: 'Long', workflow_id: id, generations: 10 };
    const submitted = await client.ask<typeof job>('POST /api/collections/generate', { body });
    expectWire('Submission', submitted);
    const last = await client.ask<typeof job>('POST /api/collections/generate', { body });
    const found = await client.ask('GET /jobs/:id', { at: { id: last.job_id } });
    expectWire('Job', found);
    expect(found).toMatchObject({
      status: 'pending',
      queue_position: expect.any(Number),
      estimated_completion: expect.any(String),
    });
    for (const { job_id } of [submitted, last])
      expectWire('Job', await client.ask('POST /jobs/:id/cancel', { at: { id: job_id } }));
  });

  it('is each list of jobs, generations and events', async () => {
    await client.list('JobSummary', 'GET /jobs');
    const generations = await client.list('Generation', 'GET /jobs/:id/generations', { id: job.job_id });
    expect(generations[0]).toMatchObject({
      steps: [{ node: 'javascript', output: { side: 20 }, logs: ['sand'] }, { node: 'p5' }],
    });
    const events = [
      ...(await client.list('Event', 'GET /jobs/:id/history', { id: job.job_id })),
      ...(await client.list('Event', 'GET /jobs/:id/history', { id: failed.job_id })),
    ];
    const types = [
      'job_queued',
      'job_started',
      'generation_started',
      'node_started',
      'node_completed',
      'image_generated',
      'generation_completed',
      'job_completed',
      'node_failed',
      'generation_failed',
      'job_failed',
    ];
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(types));
    expect(events.find(({ type }) => type === 'image_generated')).toHaveProperty('asset');
  });

  it('is the same on an event stream, which ends with 204', async () => {
    const history = await client.list('Event', 'GET /jobs/:id/history', { id: job.job_id });
    const url = `${api.url}/jobs/${job.job_id}/events`;
    const reader = await EventReader.open(url, { ...api.as(client.userId), 'last-event-id': '0' });
    await reader.untilEnded();
    const told = reader.received.map(({ id, event, data }) => ({ ...data, id, event }));
    expect(told).toEqual(
      history.map((event) => ({ ...event, id: String(event['seq']), event: event['type'] })),
    );
    const fresh = await EventReader.open(url, api.as(client.userId));
    await fresh.untilEnded();
    expectWire('Job', fresh.received[0]!.data);
    await client.ask('GET /jobs/:id/events', {
      at: { id: job.job_id },
      headers: { 'last-event-id': String(history.length) },
    });
    expect([...client.contract.seen]).toContain('GET /jobs/:id/events 204');
  });

  it('is a collection, to its owner and to everyone', async () => {
    const at = { id: job.collection_id };
    // It is published soon after its last edition.
    const isPublished = async () =>
      expect(await client.ask('GET /collections/:id', { at })).toMatchObject({ status: 'published' });
    await eventually(isPublished, 15_000);
    const own = await client.ask('GET /collections/:id', { at });
    expectWire('Collection', own);
    expect(own).toMatchObject({
      title: 'Rings',
      project_id: job.project_id,
      editions: 5,
      price: 0.5,
      currency: 'XTZ',
      is_current: true,
      publish_date: '2026-01-31T00:00:00.000Z',
      images: [expect.any(String), expect.any(String)],
    });
    const seen = await stranger.ask<{ assets: unknown[] }>('GET /collections/:id/public', { at });
    expectWire('PublicCollection', seen);
    expect(seen).not.toHaveProperty('data');
    expect(seen).toMatchObject({
      generations: 2,
      traits: expect.arrayContaining([{ trait_type: 'Palette', value: 'ember', count: 2 }]),
    });
    expect(seen.assets).toHaveLength(2);
  });

  it('is an asset, in a list and alone', async () => {
    const [asset] = await client.list('Asset', 'GET /assets');
    expect(asset).toMatchObject({ mime_type: 'image/png', width: 20, height: 20 });
    const alone = await client.ask('GET /assets/:id', { at: { id: String(asset!['id']) } });
    expectWire('AssetAlone', alone);
    expect(alone).toMatchObject({
      gen_in_data: { steps: expect.any(Array) },
      gen_out_data: { hash: expect.any(String) },
    });
    const file = await call(new URL(String(asset!['url']), api.url).href);
    expect(client.contract.faultsOf('GET /files/*', file)).toEqual([]);
    expect(file.headers.get('content-type')).toBe('image/png');
  });

  it('is a workflow, to its author whole and to others without how it is made', async () => {
    const at = { id: workflowId };
    const own = await client.ask('GET /workflows/:id', { at });
    expectWire('Workflow', own);
    expect(own).toMatchObject({
      data: { pipeline: { steps: STEPS } },
      price: { base: 0.5, per_generation: { min: 0.25, max: 0.25 } },
    });
    const seen = await stranger.ask<{ data: object }>('GET /workflows/:id', { at });
    expectWire('Workflow', seen);
    expect(Object.keys(seen.data).sort()).toEqual(['estimated_duration', 'form']);
    expectWire('Estimate', await client.ask('POST /workflows/:id/estimate', { at, body: { generations: 3 } }));
    await client.list('Workflow', 'GET /workflows');
  });

  it('is money: what one has, and what became of it', async () => {
    const credits = await client.ask<{ balance: number; held: number; available: number }>('GET /credits');
    expectWire('Credits', credits);
    expect(credits.balance).toBe(credits.held + credits.available);
    const entries = await client.list('LedgerEntry', 'GET /credits/ledger');
    expect(new Set(entries.map(({ type }) => type))).toEqual(
      new Set(['grant', 'hold', 'capture', 'release']),
    );
    expect(entries.every(({ amount }) => Number(amount) > 0)).toBe(true);
  });

  it('is a project', async () => {
    expectWire('Project', await client.ask('POST /projects', { body: { name: 'Mine' } }));
    expectWire('Project', await client.ask('GET /projects/:id', { at: { id: job.project_id } }));
    expect(await client.list('Project', 'GET /projects')).toContainEqual(
      expect.objectContaining({ is_default: true }),
    );
  });

  it('is a draft of a sketch, as JSON or as the image itself', async () => {
    const body = { code: SKETCH, width: 20, height: 20 };
    const draft = await client.ask('POST /previews', { body });
    expect(draft).toMatchObject({
      mime_type: 'image/png',
      image: expect.stringMatching(/^data:image\/png;base64,/),
      width: 20,
    });
    const image = await call(`${api.url}/previews`, {
      method: 'POST',
      headers: { ...api.as(client.userId), accept: 'image/png' },
      body,
    });
    expect(client.contract.faultsOf('POST /previews', image)).toEqual([]);
    expect(image.headers.get('content-type')).toBe('image/png');
    expect(image.text.slice(1, 4)).toBe('PNG');
  });
});
