import { randomUUID } from 'node:crypto';
import { submitJob } from '../../../test/factories/job.js';
import { call } from '../../../test/api/calls.js';
import { MASTER_KEY, startTestApi, type TestApi } from '../../../test/setup/api.js';
import { Seal } from '#libs/encryption/seal.js';
import { WebhookInbox } from '#libs/generations/webhook-inbox.js';
import type { WakeQueue } from '#libs/queue/wake-queue.js';
import { StepWebhooksController } from './step-webhooks.controller.js';

describe(StepWebhooksController.name, () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi({ LOG_LEVEL: 'silent' });
  });
  afterAll(() => api.close());

  /** A generation that waits for the outside with its only step. */
  async function waiting() {
    const { generationIds, userId, jobId } = await submitJob(api.database, {
      steps: [{ id: 1, nodeName: 'fetch_api', nodePayload: {} }], lane: 'provider',
    });
    const token = randomUUID();
    await api.database.query(
      `insert into step_run (generation_id, run, step_id, attempt, node, status, token, reference)
       values ($1, 1, 1, 1, 'fetch_api', 'waiting', $2, '{}')`,
      [generationIds[0], token],
    );
    await api.database.query("update generation set status = 'waiting', wake_at = null where id = $1", [generationIds[0]]);
    return { token, userId, jobId, generationId: generationIds[0] };
  }
  const send = (token: string, body?: unknown, headers: Record<string, string> = {}) =>
    call(`${api.url}/webhooks/steps/${token}`, { method: 'POST', body, headers });
  const kept = async (token: string) => {
    const rows = await api.database.query('select from webhook_inbox where step_token = $1', [token]);
    const inbox = new WebhookInbox(api.database, {} as WakeQueue, new Seal(MASTER_KEY, 'webhook inbox'));
    return rows.length === 0 ? [] : [{ body: await inbox.delivery(token) }];
  };

  it.each([[{ result: ['a'] }], [[1, null]], [undefined]])('takes %j once, and wakes its step', async (body) => {
    const { token, generationId } = await waiting();
    expect(await send(token, body)).toMatchObject({ status: 200, json: { success: true, data: null } });
    expect(await kept(token)).toEqual([{ body: body ?? {} }]);
    const [row] = await api.database.query('select wake_seq, wake_at <= now() as due from generation where id = $1', [generationId]);
    expect(row).toEqual({ wake_seq: '2', due: true });
    expect(await send(token, { result: 'other' })).toMatchObject({ status: 404, json: { code: 'NOT_FOUND' } });
    expect(await kept(token)).toEqual([{ body: body ?? {} }]);
    const [after] = await api.database.query('select wake_seq from generation where id = $1', [generationId]);
    expect(after).toEqual({ wake_seq: '2' });
  });

  it('takes one of two that come at once', async () => {
    const { token } = await waiting();
    const both = await Promise.all([send(token, { n: 1 }), send(token, { n: 2 })]);
    expect(both.map(({ status }) => status).toSorted()).toEqual([200, 404]);
    expect(await kept(token)).toHaveLength(1);
  });

  it('knows neither strangers’ tokens nor those of steps that are over', async () => {
    const { token, jobId, userId } = await waiting();
    for (const unknown of [randomUUID(), 'no-token', token.slice(0, -1), '%00']) {
      expect((await send(unknown, {})).status).toBe(404);
    }
    await call(`${api.url}/jobs/${jobId}/cancel`, { method: 'POST', headers: api.as(userId) });
    expect((await send(token, {})).status).toBe(404);
    expect(await kept(token)).toEqual([]);
  });

  it('keeps nothing of a body that is too large or no JSON', async () => {
    const { token } = await waiting();
    expect((await send(token, { text: 'x'.repeat(1_100_000) })).status).toBe(413);
    const plain = await fetch(`${api.url}/webhooks/steps/${token}`, { method: 'POST', body: 'a=b' });
    expect(plain.status).toBe(415);
    expect(await kept(token)).toEqual([]);
    expect((await send(token, {})).status).toBe(200);
  });
});
