import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Platen, type PlatenOptions } from '#libs/client/index.js';
import { submitJob } from '../../test/factories/job.js';
import { createUser } from '../../test/factories/job-submission.js';
import { createWorkflow } from '../../test/factories/workflow.js';
import { startTestApi, type TestApi } from '../../test/setup/api.js';
import { CuttableWay } from '../../test/setup/cuttable.js';
import { eventually } from '../../test/setup/eventually.js';
import { take } from '../listing.js';
import { Stopped } from '../stop-signal.js';
import { showCredits, showLedger } from './credits.js';
import { generate, variablesOf } from './generate.js';
import { listJobs, watchJob } from './jobs.js';

const steps = [{ id: 1, nodeName: 'p5', nodePayload: {} }];

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

function clientOf(userId: string, differs: Partial<PlatenOptions> = {}): Platen {
  const token = api.as(userId).authorization.replace('Bearer ', '');
  return new Platen({ url: api.url, token, patienceMs: 0, ...differs });
}

interface Printed {
  output: string;
  bars: string;
  error: Error | undefined;
}

async function printed(work: Promise<void>): Promise<Printed> {
  const [output, bars] = [jest.spyOn(process.stdout, 'write'), jest.spyOn(process.stderr, 'write')];
  for (const written of [output, bars]) written.mockReturnValue(true);
  const textOf = (written: typeof output) => written.mock.calls.map(([text]) => String(text)).join('');
  try {
    const error = await work.then(() => undefined, (thrown: Error) => thrown);
    return { output: textOf(output), bars: textOf(bars), error };
  } finally {
    output.mockRestore();
    bars.mockRestore();
  }
}

/** A job of two editions that was cancelled before any was made, and its owner. */
async function cancelledJob() {
  const { jobId, userId } = await submitJob(api.database, { steps, generations: 2 });
  const client = clientOf(userId);
  await client.post('/jobs/{id}/cancel', { path: { id: jobId } });
  return { jobId, client };
}

describe('platen generate', () => {
  it('names the workflows that were meant', async () => {
    const client = clientOf(await createUser(api.database, 10));
    await createWorkflow(api.database, randomUUID(), { name: 'tidal-garden', visibility: 'public' });
    const error = async (name: string) => (await printed(generate(client, name, { editions: 1 }))).error?.message;
    expect(await error('tidel-gaden')).toBe('There is no workflow "tidel-gaden". Did you mean tidal-garden?');
    expect(await error('garden')).toContain('Did you mean tidal-garden?');
    expect(await error('zzzzzz')).toContain('`platen workflow list` shows them all.');
  });

  it('leaves text where the form takes text, and reads all else as JSON', () => {
    const form_schema = { properties: { word: { type: 'string' }, steps: { type: 'integer' }, size: { enum: ['512', '1024'] } } };
    expect(variablesOf({ form_schema }, { word: '20', steps: '20', inks: '["a"]', other: 'a fox', size: '512' })).toEqual({
      word: '20', steps: 20, size: '512', inks: ['a'], other: 'a fox',
    });
  });

  it('leaves the job running when it is stopped, and says how to watch it again', async () => {
    const { jobId, userId } = await submitJob(api.database, { steps });
    const stop = new AbortController();
    const watching = printed(watchJob(clientOf(userId, { signal: stop.signal }), jobId, {}));
    setTimeout(() => stop.abort(new Stopped()), 300);
    expect((await watching).error?.message).toBe(`The job goes on. To watch it again: platen jobs watch ${jobId}`);
    expect(await clientOf(userId).get('/jobs/{id}', { path: { id: jobId } })).toMatchObject({ status: 'pending' });
  });
});

describe('platen jobs', () => {
  it('watch shows a job that has ended, and fails since its editions are missing', async () => {
    const { jobId, client } = await cancelledJob();
    const folder = mkdtempSync(join(tmpdir(), 'platen-watch-'));
    const { output, bars, error } = await printed(watchJob(client, jobId, { out: folder }));
    expect(output).toBe('0 of 2 editions, 0 credits.\n');
    expect(bars).toMatch(/^ {2}1 {2}oo\S+ +0 % {2}cancelled\n {2}2 {2}oo\S+ +0 % {2}cancelled\n$/);
    expect(error?.message).toMatch(/^2 of 2 editions are missing, the job is cancelled/);
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  it('watch --json prints one event on each line, and no bars', async () => {
    const { jobId, client } = await cancelledJob();
    const { output, bars } = await printed(watchJob(client, jobId, { json: true }));
    const events = output.trim().split('\n').map((line) => JSON.parse(line) as { type: string; data: { id: string } });
    expect(events).toMatchObject([{ type: 'snapshot', data: { id: jobId } }]);
    expect(bars).toBe('');
  });

  it('watch misses nothing of a job while its server is away', async () => {
    const { jobId, userId } = await submitJob(api.database, { steps });
    const way = await CuttableWay.to(api.url);
    const [through, direct] = [clientOf(userId, { url: way.url, patienceMs: 60_000 }), clientOf(userId)];
    const watching = printed(watchJob(through, jobId, { json: true }));
    await eventually(() => expect(process.stdout.write).toHaveBeenCalled());
    await way.cut();
    await direct.post('/jobs/{id}/cancel', { path: { id: jobId } });
    await way.mend();
    const { output } = await watching;
    await way.cut();
    const seen = output.trim().split('\n').map((line) => JSON.parse(line) as { id: string; type: string });
    const history = await take(direct.list('/jobs/{id}/history', { path: { id: jobId } }));
    const missed = history.filter(({ seq }) => seq > Number(seen[0]?.id)).map(({ seq, type }) => `${seq} ${type}`);
    expect(seen.map(({ id, type }) => `${id} ${type}`)).toEqual([`${seen[0]?.id} snapshot`, ...missed]);
    expect(missed.at(-1)).toMatch(/job_cancelled$/);
  });

  it('list shows the newest, of one state, as a table and as JSON', async () => {
    const { jobId, client } = await cancelledJob();
    const { output } = await printed(listJobs(client, { status: 'cancelled', limit: 5 }));
    expect(output).toMatch(new RegExp(`^job .*\n${jobId} +cancelled +0 of 2 +0 +20`));
    const { output: json } = await printed(listJobs(client, { limit: 5, json: true }));
    expect(JSON.parse(json)).toMatchObject([{ id: jobId }]);
    expect((await printed(listJobs(client, { status: 'completed', limit: 5, json: true }))).output).toBe('[]\n');
  });
});

describe('platen credits', () => {
  it('shows the balance and every movement', async () => {
    const client = clientOf(await createUser(api.database, 12.5));
    expect((await printed(showCredits(client, {}))).output).toMatch(/available +12\.5\nheld +0\nbalance +12\.5\n\nPlan free: 0 of /);
    expect(JSON.parse((await printed(showCredits(client, { json: true }))).output)).toMatchObject({ available: 12.5 });
    expect((await printed(showLedger(client, { limit: 3 }))).output).toMatch(/\n\S+ \S+ +grant +12\.5 +12\.5 +0/);
    expect(JSON.parse((await printed(showLedger(client, { limit: 3, json: true }))).output)).toMatchObject([{ amount: 12.5 }]);
  });
});
