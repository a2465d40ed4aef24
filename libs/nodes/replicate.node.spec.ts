import type { Step } from '#libs/instruction-set/instruction-set.js';
import { OutboundClient } from '#libs/outbound/outbound-client.js';
import { ReplicateProvider } from '#libs/providers/replicate.provider.js';
import { goodDays } from '#libs/providers/stand-in/dials.js';
import { ReplicateServer } from '#libs/providers/stand-in/replicate-server.js';
import type { JobPlan } from '../../test/factories/job.js';
import { account, booksAreRight, generationRows, jobEnds, stepRuns } from '../../test/factories/reads.js';
import { buildRoad, type Road } from '../../test/factories/road.js';
import { eventually } from '../../test/setup/eventually.js';
import type { NodeContext, Waiting } from './node.js';
import { replicateNode } from './replicate.node.js';

const FOX = { model: 'owner/name', input: { prompt: 'a fox' } };
const CREATES = /^POST models/;
const isPost = ({ method }: { method: string }) => method === 'POST';

describe('a replicate step', () => {
  let server: ReplicateServer;
  let client: OutboundClient;
  let road: Road;
  const node = (firstPollMs = 100) =>
    replicateNode(new ReplicateProvider(client, { baseUrl: server.apiUrl, apiToken: server.token }), firstPollMs);
  const step = (nodePayload: object): JobPlan =>
    ({ steps: [{ id: 1, nodeName: 'replicate', nodePayload: nodePayload as never }], lane: 'provider' });
  const submit = (nodePayload: object = FOX, plan: Partial<JobPlan> = {}) => road.submit({ ...step(nodePayload), ...plan });
  const ends = async (status: string, nodePayload: object = FOX) => {
    const { jobId, userId } = await submit(nodePayload);
    await jobEnds(road.database, jobId, status, 20_000);
    return { jobId, userId, runs: await stepRuns(road.database, jobId), error: (await generationRows(road.database, jobId))[0]?.error };
  };
  const files = (jobId: string) =>
    road.database.query('select name, mime_type from flat_file where job_id = $1 and shown order by id', [jobId]);

  beforeAll(async () => {
    server = await ReplicateServer.start();
    client = new OutboundClient({ allowedHosts: [new URL(server.apiUrl).host, server.deliveryHost] });
    road = await buildRoad({ nodes: [node()] });
    road.worker().start();
  });
  beforeEach(() => {
    Object.assign(server.dials, goodDays());
    server.calls.length = 0;
  });
  afterEach(() => booksAreRight(road.database));
  afterAll(async () => {
    await road.close();
    await client.close();
    await server.close();
  });

  describe('gives', () => {
    it.each([
      ['a file', 'image', [{ name: 'out-0.png', mime_type: 'image/png' }], null],
      ['a list of files, some of them behind the token', 'images', [{ name: 'out-0.png' }, { name: 'download.png' }], null],
      ['text', 'A fox.', [], 'A fox.'],
      ['text in pieces', ['A', ' fox', '.'], [], 'A fox.'],
      ['an object, with the names of its files', 'object', [{ name: 'out-0.png' }], { score: 0.5, picture: 'out-0.png' }],
    ])('%s', async (_what, given, expected, value) => {
      server.dials.output = (_asked, { delivered, guarded }) => {
        if (given === 'image') return delivered(0);
        if (given === 'images') return [delivered(0), guarded(1)];
        return given === 'object' ? { score: 0.5, picture: delivered(0) } : given;
      };
      const { jobId, runs } = await ends('completed');
      expect(await files(jobId)).toMatchObject(expected);
      expect(runs[0]?.output.value).toEqual(value);
    });
  });

  describe('fails once, in words of ours, and gives the price back, when the prediction', () => {
    it.each([
      ['failed', { end: () => 'failed' }],
      ['was canceled there', { end: () => 'canceled' }],
      ['was aborted', { end: () => 'aborted' }],
      ['gave nothing', { output: () => null }],
      ['gave an empty list', { output: () => [] }],
      ['was removed before it was copied', { removesOutput: true }],
      ['gave a file that is gone', { onFile: () => ({ status: 404 }) }],
    ])('%s', async (_what, dials) => {
      Object.assign(server.dials, dials);
      const { userId, runs, error } = await ends('failed');
      expect(error).toMatchObject({ code: 'UPSTREAM_ERROR' });
      expect(JSON.stringify([error, runs])).not.toContain('secret');
      expect([runs.length, server.count(CREATES)]).toEqual([1, 1]);
      expect(await account(road.database, userId)).toMatchObject({ held: 0, balance: 1 });
    });
  });

  it('names the input that the model refuses', async () => {
    server.dials.inputNames = ['prompt'];
    const { error } = await ends('failed', { ...FOX, input: { prompt: 'a fox', widht: 9 } });
    expect(error).toMatchObject({ code: 'VALIDATION_ERROR', message: 'The model refuses input.widht' });
  });

  it.each([
    ['that has no credit', { status: 402 }, 1],
    ['that is broken for long', { status: 500 }, 4],
  ])('gives up on a service %s', async (_what, fault, tries) => {
    server.dials.onCall = (call) => (isPost(call) ? fault : null);
    const { error } = await ends('failed');
    expect(error?.code).toBe('UPSTREAM_ERROR');
    expect(server.count(CREATES)).toBe(tries);
  }, 40_000);

  it('waits while it is asked too much, without an attempt spent', async () => {
    server.dials.onCall = (call) => (isPost(call) && call.before % 5 < 4 ? { throttled: true, inDetail: 1 } : null);
    const { runs } = await ends('completed');
    expect(runs).toHaveLength(1);
    expect(server.predictions.ids().length).toBeGreaterThan(0);
    // What was refused is not looked for.
    expect(server.count(/^GET predictions$/)).toBe(0);
  });

  it.each(['lost', 'garbled'] as const)('does not begin again what was begun though its answer was %s', async (fault) => {
    const before = server.predictions.size;
    server.dials.onCall = (call) => (call.path.startsWith('models') && server.predictions.size === before ? fault : null);
    const { runs } = await ends('completed');
    expect(server.predictions.size - before).toBe(1);
    expect(runs[0]?.reference).toMatchObject({ prediction: server.predictions.ids()[0] });
  });

  it('asks again when asking fails, however it does', async () => {
    const faults = [{ status: 503 }, { throttled: true as const, retryAfter: 1 }, 'garbled' as const, { status: 404 }];
    server.dials.onCall = (call) => (isPost(call) ? null : (faults[call.before] ?? null));
    const { runs } = await ends('completed');
    expect([runs.length, server.count(CREATES)]).toEqual([1, 1]);
  }, 30_000);

  it('takes files of ours along: small ones in the request, large ones handed over', async () => {
    const steps: Step[] = [
      { id: 1, nodeName: 'file', nodePayload: { text: 'small' } },
      { id: 2, nodeName: 'file', nodePayload: { text: 'x'.repeat(300_000) } },
      { id: 3, nodeName: 'replicate', nodePayload: { ...FOX, input: { images: [{ $ref: 1 }, { $ref: 2 }], mask: { $ref: 2 } } } },
    ];
    const { jobId } = await submit({}, { steps });
    await jobEnds(road.database, jobId, 'completed', 15_000);
    const asked = server.predictions.show(server.predictions.ids()[0] as string);
    expect(asked?.['input']).toEqual({
      images: [expect.stringMatching(/^data:text\/plain;base64,/), expect.stringMatching(/\/files\//)], mask: expect.stringMatching(/\/files\//),
    });
    expect(server.count(/^POST files/)).toBe(1);
  });

  it('takes files by their own URL, and leaves other texts as they are', async () => {
    const made = await submit({}, { steps: [{ id: 1, nodeName: 'file', nodePayload: { text: 'mine' } }] });
    await jobEnds(road.database, made.jobId, 'completed', 15_000);
    const [file] = await road.database.query<{ url: string }>('select url from flat_file where job_id = $1', [made.jobId]);
    const texts = { prompt: '12', image: 'https://example.com/files/a.png' };
    const { jobId } = await submit({ ...FOX, input: { ...texts, mask: file!.url, images: [file!.url] } }, { userId: made.userId });
    await jobEnds(road.database, jobId, 'completed', 15_000);
    const asked = server.predictions.show(server.predictions.ids()[0] as string);
    const inline = expect.stringMatching(/^data:text\/plain;base64,/);
    expect(asked?.['input']).toEqual({ ...texts, mask: inline, images: [inline] });
  });

  it('stops the prediction when its generation is cancelled while it waits', async () => {
    server.dials.runMs = 60_000;
    const { jobId, userId } = await submit();
    await eventually(async () => expect((await generationRows(road.database, jobId))[0]?.status).toBe('waiting'));
    const [id = ''] = server.predictions.ids();
    await road.control.cancelJob(userId, jobId);
    await road.cancels.sweep();
    expect(server.predictions.show(id)?.['status']).toBe('canceled');
  });

  it('stops the prediction when its generation is cancelled while it begins', async () => {
    Object.assign(server.dials, { runMs: 60_000, createMs: 600 });
    const before = server.predictions.size;
    const { jobId, userId } = await submit();
    await eventually(() => expect(server.count(CREATES)).toBe(1));
    await road.control.cancelJob(userId, jobId);
    await eventually(() => expect(server.predictions.size).toBe(before + 1));
    const [id = ''] = server.predictions.ids();
    await eventually(() => expect(server.predictions.show(id)?.['status']).toBe('canceled'));
  });

  it('stops the prediction when it takes longer than the step may wait', async () => {
    Object.assign(server.dials, { end: () => 'hibernating' });
    const { jobId } = await submit();
    await eventually(async () => expect((await generationRows(road.database, jobId))[0]?.status).toBe('waiting'));
    await road.database.query(
      `update step_run set deadline_at = now() where generation_id in (select id from generation where job_id = $1)`, [jobId],
    );
    await jobEnds(road.database, jobId, 'failed', 15_000);
    await road.cancels.sweep();
    expect(server.predictions.show(server.predictions.ids()[0] as string)?.['status']).toBe('canceled');
  });

  it('goes on with what an attempt had begun whose worker died', async () => {
    const context = (token: string) =>
      ({ payload: FOX, token, signal: AbortSignal.timeout(10_000), progress: () => undefined, assets: {} }) as unknown as NodeContext;
    server.dials.onCall = (call) => (isPost(call) ? 'lost' : null);
    await node().run(context('lost-token'));
    server.dials.onCall = () => null;
    const reference = await node().find!(context('new-token'), 'lost-token');
    expect(reference).toMatchObject({ prediction: server.predictions.ids()[0] });
    // It is kept first: nobody would know the id of one that has ended.
    const first = await node().poll!(context('new-token'), reference);
    expect(first).toMatchObject({ kind: 'waiting', reference: { prediction: server.predictions.ids()[0] }, pollAfterMs: 0 });
    expect(await node().find!(context('new-token'), 'other-token')).toBeNull();
    // The list is away: nothing is begun before it has told.
    server.dials.onCall = () => ({ status: 500 });
    const unsure = await node().find!(context('new-token'), 'lost-token');
    expect(unsure).toMatchObject({ prediction: null, token: 'lost-token' });
    server.dials.onCall = () => null;
    const found = await node().poll!(context('new-token'), unsure);
    expect(found).toMatchObject({ kind: 'waiting', reference: { prediction: server.predictions.ids()[0] }, pollAfterMs: 0 });
    const { reference: known } = found as Waiting;
    expect(await node().poll!(context('new-token'), known)).toMatchObject({ kind: 'done' });
    expect(server.count(CREATES)).toBe(1);
  });

  it('holds no slot: a hundred predictions are in flight on four, and end when they are woken', async () => {
    server.dials.runMs = Infinity;
    const before = server.predictions.size;
    const patient = await buildRoad({ nodes: [node(60_000)] });
    patient.worker().start();
    const { jobId } = await patient.submit({ ...step(FOX), generations: 100 });
    const { database } = patient;
    const parked = () => database.query(`select 1 from generation where job_id = $1 and status = 'waiting'`, [jobId]);
    await eventually(async () => expect(await parked()).toHaveLength(100), 60_000);
    expect(server.predictions.size - before).toBe(100);
    server.dials.runMs = 0;
    await database.query('update generation set wake_seq = wake_seq + 1, wake_at = now() where job_id = $1', [jobId]);
    await jobEnds(database, jobId, 'completed', 80_000);
    expect(server.count(/^GET predictions\/\w+$/)).toBeLessThanOrEqual(100);
    await booksAreRight(database);
    await patient.close();
  }, 160_000);
});

it.each([
  [{}, 'model'],
  [{ model: 'owner/name', version: 'a'.repeat(64) }, 'version'],
])('refuses %j', (payload, path) => {
  expect(replicateNode({} as never).check?.({ input: {}, ...payload })).toMatchObject([{ path }]);
});
