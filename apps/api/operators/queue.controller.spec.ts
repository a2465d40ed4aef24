import { randomUUID } from 'node:crypto';
import { submitJob } from '../../../test/factories/job.js';
import { call, outcomeOf } from '../../../test/api/calls.js';
import { startTestApi, type TestApi } from '../../../test/setup/api.js';

const STEPS = [{ id: 'a', nodeName: 'javascript', nodePayload: { code: 'return 1' } }];
const operator = randomUUID();
const reason = 'the renderer is broken';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());
afterEach(() => api.database.query('delete from job'));

const ask = (method: string, path: string, body?: unknown) =>
  call(`${api.url}/admin/queue${path}`, { method, headers: api.as(operator, 'admin'), body });
/** What the tests take out of answers. */
interface Seen {
  id: string;
  lanes: unknown[];
  pauses: unknown[];
  items: unknown[];
  next_cursor: string | null;
}
const data = async (method: string, path: string, body?: unknown) =>
  (await ask(method, path, body)).json?.data as unknown as Seen;

describe('the queue, for operators', () => {
  it('shows what waits, runs and is paused: why, by whom and since when', async () => {
    const [waiting, running] = [await submitJob(api.database, { steps: STEPS, generations: 3 }), await submitJob(api.database, { steps: STEPS, lane: 'chromium' })];
    await api.database.query(
      `update generation set status = 'processing', started_at = now(), leased_by = 'host-1', lease = 1,
         lease_until = now() + interval '10 s' where job_id = $1`, [running.jobId],
    );
    expect((await data('GET', '')).lanes).toMatchObject([
      { subject: 'default', ready: 3, running: 0, paused: 0 }, { subject: 'chromium', ready: 0, running: 1 },
    ]);
    const { id } = await data('POST', '/pauses', { scope: 'lane', subject: 'default', mode: 'drain', reason });
    const { lanes, pauses } = await data('GET', '');
    expect(lanes[0]).toMatchObject({ subject: 'default', ready: 0, paused: 3, oldest_ready_seconds: null });
    expect(pauses).toMatchObject([{ id, mode: 'drain', reason, created_by: operator, holds: 3, goes_on: 0 }]);
    expect((await data('GET', '/waiting?by=user&limit=1')).items).toMatchObject([{ subject: waiting.userId, paused: 3 }]);
    expect((await data('GET', '/running')).items).toMatchObject([{ job_id: running.jobId, worker: 'host-1', lane: 'chromium' }]);
    await ask('DELETE', `/pauses/${id}`);
    expect(await data('GET', '')).toMatchObject({ pauses: [], lanes: [{ ready: 3, paused: 0 }, {}] });
  });

  it('tells owners that their work is held back, and promises no time meanwhile', async () => {
    const { jobId, userId } = await submitJob(api.database, { steps: STEPS, generations: 2 });
    const seen = async () => (await call(`${api.url}/jobs/${jobId}`, { headers: api.as(userId) })).json?.data;
    expect(await seen()).toMatchObject({ paused: false, queue_position: 1, estimated_completion: expect.any(String) });
    const { id } = await data('POST', '/pauses', { scope: 'user', subject: userId, reason });
    expect(await seen()).toMatchObject({ status: 'pending', paused: true, queue_position: null, estimated_completion: null });
    await data('DELETE', `/pauses/${id}`);
    expect(await seen()).toMatchObject({ paused: false, queue_position: 1 });
  });

  it('tells of a pause of everything what still goes on', async () => {
    const { jobId } = await submitJob(api.database, { steps: STEPS, generations: 2 });
    await api.database.query("update generation set status = 'processing' where job_id = $1 and index = 0", [jobId]);
    const { id } = await data('POST', '/pauses', { scope: 'all', reason });
    expect((await data('GET', '')).pauses).toMatchObject([{ scope: 'all', holds: 1, goes_on: 1 }]);
    expect(outcomeOf(await ask('GET', '/../../health/ready'))).toBe('200');
    await ask('DELETE', `/pauses/${id}`);
  });

  it('cancels for an operator, and tells the owner why', async () => {
    const { jobId, userId } = await submitJob(api.database, { steps: STEPS, generations: 2 });
    expect(await data('POST', `/jobs/${jobId}/generations/1/cancel`, { reason })).toMatchObject({ status: 'pending', cancelled: 1 });
    expect(await data('POST', `/jobs/${jobId}/cancel`, { reason })).toMatchObject({ status: 'cancelled', cancelled: 2 });
    expect(outcomeOf(await ask('POST', `/jobs/${jobId}/cancel`, { reason }))).toBe('409 INVALID_JOB_STATUS');
    const seen = await call(`${api.url}/jobs/${jobId}`, { headers: api.as(userId) });
    const error = { code: 'CANCELLED_BY_OPERATOR', message: reason };
    expect(seen.json?.data).toMatchObject({ error, generations: [{ error: null }, { error }], cost: { captured: 0 } });
    expect(await api.database.query("select data -> 'error' as error from job_history where type = 'generation_cancelled' order by seq"))
      .toEqual([{ error }, { error: null }]);
  });

  it('runs again what was cancelled, at its owner\'s cost', async () => {
    const { jobId, userId } = await submitJob(api.database, { steps: STEPS, generations: 2 });
    await data('POST', `/jobs/${jobId}/cancel`, { reason });
    expect(await data('POST', `/jobs/${jobId}/generations/0/retry`)).toMatchObject({ status: 'pending', cancelled: 1 });
    const [account] = await api.database.query('select held::int from account where user_id = $1', [userId]);
    expect(account).toEqual({ held: 1_000_000 });
  });

  it('moves a job to a priority, behind those who have it', async () => {
    const [first, second] = [await submitJob(api.database, { steps: STEPS, priority: 80, firstTurn: 40 }), await submitJob(api.database, { steps: STEPS, firstTurn: 2 })];
    expect(await data('POST', `/jobs/${second.jobId}/priority`, { priority: 80 })).toMatchObject({ priority: 80 });
    const rows = await api.database.query('select job_id, turn::int from generation order by priority desc, turn, id');
    expect(rows).toMatchObject([{ turn: 40 }, { turn: 40 }]);
    expect(rows.map(({ job_id }) => job_id).sort()).toEqual([first.jobId, second.jobId].sort());
  });

  it('keeps who did what', async () => {
    const { jobId } = await submitJob(api.database, { steps: STEPS });
    await data('POST', `/jobs/${jobId}/priority`, { priority: 90 });
    const { items, next_cursor } = await data('GET', '/actions?limit=1');
    expect(items).toMatchObject([{ user_id: operator, verb: 'prioritise', target: { job_id: jobId }, details: { priority: 90 } }]);
    expect((await data('GET', `/actions?limit=1&cursor=${next_cursor}`)).items).not.toEqual(items);
  });
});
