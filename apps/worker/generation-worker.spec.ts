import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import sharp from 'sharp';
import { renderIdOf, renderIn } from '#libs/assets/asset-key.js';
import type { Step } from '#libs/instruction-set/instruction-set.js';
import { defineNode } from '#libs/nodes/node.js';
import type { JobPlan } from '../../test/factories/job.js';
import { account, booksAreRight, eventTypes, generationRows, jobEnds, jobRow, stepRuns } from '../../test/factories/reads.js';
import { buildRoad, type Road } from '../../test/factories/road.js';
import { eventually } from '../../test/setup/eventually.js';

const echo = (id: number, value: unknown) => ({ id, nodeName: 'echo', nodePayload: { value: value as never } });

const quickNode = defineNode<{ value: never }>({
  name: 'quick', aliases: [], title: 'Quick', lane: 'default', payload: { type: 'object' }, timeLimitMs: 1_000,
  immediate: () => true,
  run: async ({ payload }) => ({ kind: 'done', value: payload.value }),
});

/** Tokens that something was bought under. */
const bought: string[] = [];
const buyNode = defineNode({
  name: 'buy', aliases: [], title: 'Buy', lane: 'provider', payload: { type: 'object' }, timeLimitMs: 10_000,
  async run({ token }) {
    bought.push(token);
    return { kind: 'done', assets: [{ name: 'a.txt', bytes: Readable.from(cut()), mimeType: 'text/plain' }] };
  },
  find: async (_context, token) => (bought.includes(token) ? token : null),
  poll: async () => ({ kind: 'done', assets: [{ name: 'a.txt', bytes: Buffer.from('whole'), mimeType: 'text/plain' }] }),
});

async function* cut() {
  yield Buffer.from('half');
  throw new Error('cut');
}

let painted = 0;
/** A picture, and the first time something beside it that breaks off. */
const paintNode = defineNode({
  name: 'paint', aliases: [], title: 'Paint', lane: 'default', payload: { type: 'object' }, timeLimitMs: 10_000,
  async run() {
    const bytes = await sharp({ create: { width: 4, height: 4, channels: 3, background: 'teal' } }).png().toBuffer();
    const rest = painted++ === 0 ? [{ name: 'b.txt', bytes: Readable.from(cut()), mimeType: 'text/plain' }] : [];
    return { kind: 'done', assets: [{ name: 'a.png', bytes, mimeType: 'image/png' }, ...rest] };
  },
});

describe('a worker', () => {
  let road: Road;
  const submit = (plan: JobPlan) => road.submit(plan);

  beforeAll(async () => {
    road = await buildRoad({ nodes: [quickNode, buyNode, paintNode] });
    road.worker().start();
  });
  afterEach(() => booksAreRight(road.database));
  afterAll(() => road.close());

  it('runs a graph of steps, passes values by reference and captures the price', async () => {
    const { jobId, userId } = await submit({
      steps: [echo(1, { n: 2 }), echo(2, 'a {{$ref:1.value.n}} {{who}}'), echo(3, { $ref: 2 })],
      variables: { who: 'you' }, price: 2, basePrice: 1,
    });
    await jobEnds(road.database, jobId, 'completed');
    const outputs = (await stepRuns(road.database, jobId)).map(({ output }) => output.value);
    expect(outputs).toEqual([{ n: 2 }, 'a 2 you', 'a 2 you']);
    expect(await account(road.database, userId)).toEqual({ balance: 0, held: 0, open: 0 });
    expect(await eventTypes(road.database, jobId)).toEqual([
      'job_queued', 'job_started', 'generation_started', 'node_started', 'node_completed', 'node_started',
      'node_completed', 'node_started', 'node_completed', 'generation_completed', 'job_completed',
    ]);
  });

  it('writes steps that are worked out at once with their starts, and tells of each', async () => {
    const quick = (id: number, value: unknown) => ({ ...echo(id, value), nodeName: 'quick' });
    const steps = Array.from({ length: 30 }, (_, place) => quick(place + 1, place === 0 ? 'a' : { $ref: place }));
    const { jobId, userId } = await submit({ steps: [...steps, echo(31, { $ref: 30 }), quick(32, { $ref: 31 })], price: 1 });
    await jobEnds(road.database, jobId, 'completed');
    const runs = await stepRuns(road.database, jobId);
    expect(runs).toHaveLength(32);
    expect(runs.every(({ status, output }) => status === 'completed' && output.value === 'a')).toBe(true);
    const told = (await eventTypes(road.database, jobId)).slice(3, -2);
    expect(told).toEqual(steps.concat(steps.slice(0, 2)).flatMap(() => ['node_started', 'node_completed']));
    expect(await jobRow(road.database, jobId)).toMatchObject({ steps_done: 32, progress: 100 });
    expect(await account(road.database, userId)).toEqual({ balance: 0, held: 0, open: 0 });
    const writes = await road.database.query(
      'select from job_history where job_id = $1 group by at', [jobId],
    );
    // One for each step would be more than thirty.
    expect(writes.length).toBeLessThan(20);
  });

  it('ends a generation of which nothing else is left to do than its end', async () => {
    const { jobId } = await submit({ steps: [{ ...echo(1, 'a'), nodeName: 'quick' }], price: 1 });
    await jobEnds(road.database, jobId, 'completed');
    expect(await eventTypes(road.database, jobId)).toEqual([
      'job_queued', 'job_started', 'generation_started', 'node_started', 'node_completed', 'generation_completed',
      'job_completed',
    ]);
  });

  it('makes renders that are those of their attempt: one that comes late overwrites nothing', async () => {
    const { jobId } = await submit({ steps: [{ id: 1, nodeName: 'paint', nodePayload: {} }], options: { renders: true } });
    await jobEnds(road.database, jobId, 'completed', 15_000);
    const tokens = await road.database.query<{ token: string }>('select s.token from step_run s join generation g on g.id = s.generation_id where g.job_id = $1 order by s.attempt', [jobId]);
    const renders = tokens.map(({ token }) => renderIdOf(token));
    expect(renders).toHaveLength(2);
    expect((await readdir(join(road.storageFolder, 'public/renders'))).sort()).toEqual(renders.toSorted());
    const files = await road.database.query<{ storage_key: string }>('select storage_key from flat_file where job_id = $1 and shown', [jobId]);
    expect(files.map(({ storage_key }) => renderIn(storage_key))).toEqual([renders[1]]);
  });

  it('shows files of the last steps only, and only when they are paid', async () => {
    const file = (id: number, text: string) => ({ id, nodeName: 'file', nodePayload: { text } });
    const { jobId } = await submit({ steps: [file(1, 'first'), file(2, '{{$ref:1.assets[0].name}}')] });
    await jobEnds(road.database, jobId, 'completed');
    const files = await road.database.query('select step_id, shown, url from flat_file where job_id = $1 and deleted_at is null', [jobId]);
    expect(files).toEqual([{ step_id: '2', shown: true, url: expect.stringMatching(/^\/files\/generations\//) }]);
    expect((await generationRows(road.database, jobId))[0]?.traits).toEqual([{ trait_type: 'Text', value: 'note.txt' }]);
  });

  it('has thumbnails made of images once they are shown, unless the job wants none', async () => {
    const paint = { id: 1, nodeName: 'paint', nodePayload: {} };
    const file = { id: 2, nodeName: 'file', nodePayload: { text: 'words' } };
    const wanted = await submit({ steps: [paint, file] });
    const unwanted = await submit({ steps: [paint], options: { generate_preview: false } });
    for (const { jobId } of [wanted, unwanted]) await jobEnds(road.database, jobId, 'completed', 15_000);
    const dueOf = ({ jobId }: typeof wanted) => road.database.query(
      'select name, thumbnail_due is not null as due from flat_file where job_id = $1 and shown order by step_id', [jobId]);
    expect(await dueOf(wanted)).toEqual([{ name: 'a.png', due: true }, { name: 'note.txt', due: false }]);
    expect(await dueOf(unwanted)).toEqual([{ name: 'a.png', due: false }]);
  });

  it('keeps the files of every step when asked to', async () => {
    const file = (id: number, text: string) => ({ id, nodeName: 'file', nodePayload: { text } });
    const { jobId } = await submit({
      steps: [file(1, 'first'), file(2, '{{$ref:1.assets[0].name}}')], options: { save_intermediate_outputs: true },
    });
    await jobEnds(road.database, jobId, 'completed');
    const files = await road.database.query('select step_id from flat_file where job_id = $1 and shown', [jobId]);
    expect(files).toHaveLength(2);
  });

  it('reads files by reference, by id and by URL, and no stranger\'s', async () => {
    const made = await submit({ steps: [{ id: 1, nodeName: 'file', nodePayload: { text: 'mine' } }] });
    await jobEnds(road.database, made.jobId, 'completed');
    const [asset] = await road.database.query<{ id: string; url: string }>('select id, url from flat_file where job_id = $1', [made.jobId]);
    const read = (file: string): Step[] => [
      { id: 1, nodeName: 'read', nodePayload: { file } },
      { id: 2, nodeName: 'file', nodePayload: { text: 'own' } },
      { id: 3, nodeName: 'read', nodePayload: { file: { $ref: 2 } } },
    ];
    for (const file of [asset!.id, `${asset!.url}?signature=x`]) {
      const { jobId } = await submit({ steps: read(file), userId: made.userId });
      await jobEnds(road.database, jobId, 'completed');
      const [byName, , byReference] = await stepRuns(road.database, jobId);
      expect(byName?.output.value).toMatch(/^mine oo/);
      expect(byReference?.output.value).toMatch(/^own oo/);
    }
    const { jobId } = await submit({ steps: read(asset!.id) });
    await jobEnds(road.database, jobId, 'failed');
    expect((await generationRows(road.database, jobId))[0]?.error.message).toContain('there is no asset');

    // In a set of somebody else's making only what the submitter brought may name a file.
    const brought = await submit({ steps: read(asset!.id), userId: made.userId, options: { files: [asset!.id] } });
    await jobEnds(road.database, brought.jobId, 'completed');
    const computed: Step[] = [
      { id: 1, nodeName: 'echo', nodePayload: { value: asset!.id } },
      { id: 2, nodeName: 'read', nodePayload: { file: { $ref: 1 } } },
    ];
    for (const steps of [read(asset!.id), computed]) {
      const other = await submit({ steps, userId: made.userId, options: { files: ['4711'] } });
      await jobEnds(road.database, other.jobId, 'failed');
      expect((await generationRows(road.database, other.jobId))[0]?.error.message).toContain('there is no asset');
    }
  });

  it('tries again what the world broke, each attempt a row', async () => {
    const { jobId } = await submit({ steps: [{ id: 1, nodeName: 'fail', nodePayload: { times: 1, name: 'once' } }] });
    await jobEnds(road.database, jobId, 'completed');
    expect((await stepRuns(road.database, jobId)).map(({ status }) => status)).toEqual(['failed', 'completed']);
    const types = await eventTypes(road.database, jobId);
    expect(types).toEqual(expect.arrayContaining(['node_failed', 'generation_waiting', 'generation_resumed']));
  });

  it.each<[where: string, beside: Step[]]>([
    ['parked', []], ['in hand', [{ id: 2, nodeName: 'slow', nodePayload: { ms: 5_000 } }]],
  ])('looks for what was bought already when a result could not be stored, its generation %s', async (_where, beside) => {
    bought.length = 0;
    const { jobId } = await submit({ steps: [{ id: 1, nodeName: 'buy', nodePayload: {} }, ...beside], lane: 'provider' });
    await jobEnds(road.database, jobId, 'completed');
    const runs = (await stepRuns(road.database, jobId)).filter(({ step_id }) => Number(step_id) === 1);
    expect(runs.map(({ status }) => status)).toEqual(['failed', 'completed']);
    expect(bought).toHaveLength(1);
  });

  it('shows and charges nothing when the last step fails; resume finishes without repeating a finished step', async () => {
    const { jobId, userId } = await submit({
      steps: [
        { id: 1, nodeName: 'file', nodePayload: { text: 'kept' } },
        { id: 2, nodeName: 'fail', nodePayload: { times: 1, permanent: true, name: '{{$ref:1.assets[0].name}}' } },
      ],
      price: 3, basePrice: 1,
    });
    await jobEnds(road.database, jobId, 'failed');
    expect(await account(road.database, userId)).toEqual({ balance: 4, held: 0, open: 0 });
    expect(await road.database.query('select 1 from flat_file where job_id = $1 and shown', [jobId])).toEqual([]);

    await road.control.resumeJob(userId, jobId);
    await jobEnds(road.database, jobId, 'completed');
    expect(await account(road.database, userId)).toEqual({ balance: 0, held: 0, open: 0 });
    const first = (await stepRuns(road.database, jobId)).filter(({ step_id }) => step_id === '1');
    expect(first).toHaveLength(1);
    expect(await jobRow(road.database, jobId)).toMatchObject({ completed: 1, failed: 0, progress: 100, error: null });
  });

  it('names an input fault by its place and does not try it again', async () => {
    const { jobId } = await submit({ steps: [echo(1, '{{nobody}}')] });
    await jobEnds(road.database, jobId, 'failed');
    const runs = await stepRuns(road.database, jobId);
    expect(runs).toHaveLength(1);
    expect(runs[0]?.error.message).toContain('nobody');
  });

  it('records what a node says, whatever it says', async () => {
    const odd = (fails: boolean) => [{ id: 1, nodeName: 'odd', nodePayload: { fails } }];
    const [fine, broken] = [await submit({ steps: odd(false) }), await submit({ steps: odd(true) })];
    await jobEnds(road.database, fine.jobId, 'completed');
    expect((await stepRuns(road.database, fine.jobId))[0]?.output.value).toEqual({ 'key\uFFFD': 'value\uFFFD' });
    await jobEnds(road.database, broken.jobId, 'failed');
    expect((await stepRuns(road.database, broken.jobId))[0]?.error).toEqual({ code: 'ODD', message: 'message\uFFFD \uFFFD' });
  });

  it.each([
    ['is no id', { value: { $ref: '1', collection: 'urn:uuid:aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa' } }],
    ['is not there', { value: { $ref: '1', collection: 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa' } }],
  ])('fails a reference to a collection that %s', async (_what, nodePayload) => {
    const { jobId } = await submit({ steps: [{ id: 1, nodeName: 'echo', nodePayload }] });
    await jobEnds(road.database, jobId, 'failed');
    expect((await generationRows(road.database, jobId))[0]?.error.code).toBe('UNRESOLVED_REFERENCE');
  });

  it('gives no more values than fit into memory', async () => {
    const steps = Array.from({ length: 4 }, (_, id) => echo(id + 1, 'x'.repeat(9 * 1024 ** 2)));
    const { jobId } = await submit({ steps });
    await jobEnds(road.database, jobId, 'failed', 30_000);
    expect((await generationRows(road.database, jobId))[0]?.error.code).toBe('OUTPUT_TOO_LARGE');
  });

  it('holds no slot while a step waits, and goes on when it is woken', async () => {
    const { jobId } = await submit({ steps: [{ id: 1, nodeName: 'wait', nodePayload: { name: 'later' } }], lane: 'provider' });
    await eventually(async () => expect((await generationRows(road.database, jobId))[0]?.status).toBe('waiting'));
    expect((await generationRows(road.database, jobId))[0]?.lease_until).toBeNull();
    road.outside.answers.set('later', 'here');
    await road.database.query('update generation set wake_seq = wake_seq + 1, wake_at = now() where job_id = $1', [jobId]);
    await jobEnds(road.database, jobId, 'completed');
    expect(road.outside.calls.filter((call) => call === 'submit:later')).toHaveLength(1);
  });

  it('polls what waits at its own pace and fails it after its time', async () => {
    const { jobId } = await submit({
      steps: [{ id: 1, nodeName: 'wait', nodePayload: { name: 'never', poll: 50, timeout: 1_500 } }], lane: 'provider',
    });
    await jobEnds(road.database, jobId, 'failed');
    expect(road.outside.calls.filter((call) => call === 'poll:never').length).toBeGreaterThan(1);
    expect((await generationRows(road.database, jobId))[0]?.error.code).toBe('STEP_TIMEOUT');
  });

  it('stops a running step at its cancel, long before its end', async () => {
    const { jobId, userId } = await submit({ steps: [{ id: 1, nodeName: 'slow', nodePayload: { ms: 30_000 } }] });
    await eventually(async () => expect(await stepRuns(road.database, jobId)).toHaveLength(1));
    const before = Date.now();
    await road.control.cancelJob(userId, jobId);
    expect(await jobRow(road.database, jobId)).toMatchObject({ status: 'cancelled', cancelled: 1 });
    expect(await account(road.database, userId)).toEqual({ balance: 1, held: 0, open: 0 });
    await submit({ steps: [echo(1, 1)] });
    expect(Date.now() - before).toBeLessThan(10_000);
    await expect(road.control.cancelJob(userId, jobId)).rejects.toMatchObject({ code: 'INVALID_JOB_STATUS' });
  });
});
