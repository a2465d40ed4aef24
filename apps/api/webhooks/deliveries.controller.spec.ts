import { randomUUID } from 'node:crypto';
import { DeliveryRows } from '#libs/deliveries/delivery-rows.js';
import type { DeliveryView } from '#libs/deliveries/delivery-log.js';
import { asUser } from '../../../test/api/callers.js';
import { record, submitTelling } from '../../../test/factories/deliveries.js';
import { startTestApi, type TestApi } from '../../../test/setup/api.js';
import { testKeys } from '../../../test/factories/keys.js';
import { DeliveriesController } from './deliveries.controller.js';

describe(DeliveriesController.name, () => {
  let api: TestApi;
  let rows: DeliveryRows;
  let userId: string;
  let jobId: string;

  beforeAll(async () => {
    api = await startTestApi({ LOG_LEVEL: 'silent' });
    rows = new DeliveryRows(api.database, testKeys(api.database));
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    ({ jobId, userId } = await submitTelling(api.database, { url: 'https://hooks.test/', events: ['node_completed'] }));
    for (let count = 0; count < 3; count++) await record(api.database, jobId, 'node_completed');
    await rows.arise();
  });
  afterEach(() => api.database.query('truncate job cascade'));

  async function list(query = '', who = userId) {
    const { json } = await asUser(api, who, `/jobs/${jobId}/deliveries${query}`);
    return json!.data as unknown as { items: Array<Record<keyof DeliveryView, unknown>>; next_cursor: string | null };
  }
  const resend = (id: unknown, who = userId, job = jobId) =>
    asUser(api, who, `/jobs/${job}/deliveries/${String(id)}/resend`, { method: 'POST' });

  it('lists what was sent, page by page, with what came of it', async () => {
    const first = await list('?limit=2');
    expect(first.items.map(({ seq }) => seq)).toEqual([2, 3]);
    const rest = await list(`?limit=2&cursor=${first.next_cursor}`);
    expect(rest.next_cursor).toBeNull();
    expect(rest.items).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/), event: 'node_completed', seq: 4, status: 'pending', attempts: 0,
        last_status: null, last_error: null, next_attempt_at: expect.stringMatching(/^\d{4}.*Z$/), delivered_at: null,
        created_at: expect.any(String),
      },
    ]);
    const due = (await rows.claim({ hosts: [], users: [] }))!;
    await rows.settle(due, { status: 200, error: null }, { status: 'delivered', retryInMs: null });
    expect((await list()).items.find(({ id }) => id === due.id)).toMatchObject({
      status: 'delivered', attempts: 1, last_status: 200, next_attempt_at: null, delivered_at: expect.any(String),
    });
  });

  it.each(['delivered', 'failed', 'disabled', 'pending'])('sends one that is %s once more, with all its retries', async (status) => {
    const [delivery] = (await list()).items;
    await api.database.query(
      `update delivery set status = $2, attempts = 9, next_at = now() + interval '1 hour' where job_id = $1`, [jobId, status],
    );
    expect(await resend(delivery!.id)).toMatchObject({ status: 202, json: { data: { id: delivery!.id, status: 'pending', attempts: 9 } } });
    expect(await rows.claim({ hosts: [], users: [] })).toMatchObject({ id: delivery!.id, attempt: 10, tries: 1 });
    expect(await rows.claim({ hosts: [], users: [] })).toBeNull();
  });

  it('knows only what is one’s own, and of that job', async () => {
    const [delivery] = (await list()).items;
    const stranger = randomUUID();
    expect(await resend(delivery!.id, stranger)).toMatchObject({ status: 404, json: { code: 'JOB_NOT_FOUND' } });
    const { jobId: other } = await submitTelling(api.database, { url: 'https://hooks.test/', userId });
    for (const [id, job] of [[delivery!.id, other], [randomUUID(), jobId], ['x', jobId]] as const) {
      expect(await resend(id, userId, job)).toMatchObject({ status: 404, json: { code: 'NOT_FOUND' } });
    }
  });

  it('gives each account a secret, which stays until it is rotated', async () => {
    const secretOf = async (path = '', method = 'GET', who = userId) =>
      (await asUser(api, who, `/webhooks/secret${path}`, { method })).json!.data as unknown as Record<string, string>;
    const first = await secretOf();
    expect(first).toEqual({
      secret: expect.stringMatching(/^whsec_/), created_at: expect.stringMatching(/Z$/), previous_expires_at: null,
    });
    expect(await secretOf()).toEqual(first);
    expect((await secretOf('', 'GET', randomUUID()))['secret']).not.toBe(first['secret']);
    const rotated = await secretOf('/rotate', 'POST');
    expect(rotated['secret']).not.toBe(first['secret']);
    expect(rotated['previous_expires_at']).toEqual(expect.any(String));
    expect(await secretOf()).toEqual(rotated);
  });
});
