import { createUser } from '../factories/job-submission.js';
import { createWorkflow } from '../factories/workflow.js';
import { startTestApi, type TestApi } from '../setup/api.js';
import { EventReader } from '../setup/event-source.js';
import { eventually } from '../setup/eventually.js';
import { asUser, dataOf } from './callers.js';
import { call, outcomeOf, type Call } from './calls.js';
import { ROUTES } from './routes.js';
import { createTenant, leaksOf, type Tenant } from './tenant.js';

const STEPS = [{ id: 'a', nodeName: 'javascript', nodePayload: { code: 'return 1' } }];

describe('what lets others in', () => {
  let api: TestApi;
  let tenant: Tenant;
  let other: string;
  let publicWorkflowId: string;

  beforeAll(async () => {
    api = await startTestApi();
    other = await createUser(api.database, 10);
    const workflow = await createWorkflow(api.database, other, { data: { pipeline: { steps: STEPS } } });
    publicWorkflowId = workflow.id;
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    tenant = await createTenant(api);
  });

  const as = (userId: string, path: string, request?: Call) => asUser(api, userId, path, request);
  const post = (path: string, body: unknown, userId = other) => as(userId, path, { method: 'POST', body });

  it('a stream token opens the events of its one job, and nothing else', async () => {
    const { jobId, cancelledJobId, collectionId, userId } = tenant;
    const { token } = dataOf(await post(`/jobs/${jobId}/stream-token`, undefined, userId));
    const job = `/jobs/${jobId}`;
    const collection = `/collections/${collectionId}`;
    const closed = [`/jobs/${cancelledJobId}/events`, job, `${job}/history`, '/jobs', '/events', collection,
      `${collection}/events`];
    for (const path of closed) {
      const answers = [
        await call(`${api.url}${path}?access_token=${token}`),
        await call(`${api.url}${path}`, { headers: { authorization: `Bearer ${token}` } }),
      ];
      for (const answer of answers) {
        expect({ path, outcome: outcomeOf(answer) }).toEqual({ path, outcome: '401 UNAUTHENTICATED' });
        expect(leaksOf(tenant, answer)).toEqual([]);
      }
    }
    const opened = `${job}/events?access_token=${token}`;
    const answer = await call(`${api.url}${opened}`);
    expect(answer).toMatchObject({ status: 200, text: expect.stringContaining(tenant.canary) });
    // One’s own credentials come first.
    expect(outcomeOf(await as(other, opened))).toBe('404 JOB_NOT_FOUND');
  });

  it('one’s own streams tell nothing of another’s jobs', async () => {
    const body = { title: 'Mine', workflow_id: publicWorkflowId };
    const own = dataOf(await post('/api/collections/generate', body));
    const mine = await Promise.all(
      ['/events', `/collections/${own.collection_id}/events`].map((path) =>
        EventReader.open(`${api.url}${path}`, api.as(other)),
      ),
    );
    const theirs = await EventReader.open(`${api.url}/events`, api.as(tenant.userId));
    await post(`/jobs/${tenant.jobId}/cancel`, undefined, tenant.userId);
    await post(`/jobs/${own.job_id}/cancel`, undefined);
    const ended = (reader: EventReader) => reader.received.some(({ event }) => event === 'job_cancelled');
    await eventually(() => expect([theirs, ...mine].every(ended)).toBe(true));
    for (const reader of mine) {
      const heard = JSON.stringify(reader.received);
      for (const secret of [...tenant.secrets, tenant.jobId]) expect(heard).not.toContain(secret);
      reader.close();
    }
    theirs.close();
  });

  it('a signature shows its one file, until it expires', async () => {
    const mine = dataOf(await post('/assets', ROUTES['POST /assets']!.body!(tenant)));
    const signed = new URL(mine.url, api.url);
    expect((await call(signed.href)).status).toBe(200);
    const prolonged = signed.search.replace(/expires=\d+/, 'expires=99999999999');
    for (const query of [signed.search, prolonged, '?expires=1&signature=']) {
      const answer = await call(`${api.url}/files/${tenant.upload.key}${query}`);
      expect(outcomeOf(answer)).toBe('404 NOT_FOUND');
      expect(leaksOf(tenant, answer)).toEqual([]);
    }
  });

  it('a key does what its user may do, until it is revoked', async () => {
    const key = dataOf(await post('/api-keys', { name: 'server' }));
    const bearer = { headers: { authorization: `Bearer ${key.key}` } };
    expect((await call(`${api.url}/credits`, bearer)).status).toBe(200);
    const reconcile = { ...bearer, method: 'POST' };
    expect(outcomeOf(await call(`${api.url}/admin/credits/reconcile`, reconcile))).toBe('403 FORBIDDEN');
    expect(outcomeOf(await post('/api-keys', { name: 'server', role: 'admin' }))).toBe('403 FORBIDDEN');
    await as(other, `/api-keys/${key.id}`, { method: 'DELETE' });
    expect(outcomeOf(await call(`${api.url}/credits`, bearer))).toBe('401 UNAUTHENTICATED');
  });

  it('publishing shows the collection and its files, not how they were made', async () => {
    const { collectionId, assetId, canary } = tenant;
    await api.database.query(
      `update collection set status = 'published', title = 'Open', description = null, cover_image_url = null
        where id = $1`,
      [collectionId],
    );
    await api.database.query(`update generation set traits = '[]' where user_id = $1`, [tenant.userId]);
    await api.database.query(`update flat_file set name = 'open.png' where id = $1`, [assetId]);
    for (const path of [`/collections/${collectionId}/public`, `/assets/${assetId}`, '/workflows']) {
      for (const headers of [{}, api.as(other)]) {
        const answer = await call(`${api.url}${path}`, { headers });
        // The user's id is part of public addresses of files.
        const leaks = leaksOf(tenant, answer).filter((leak) => leak !== tenant.userId);
        expect({ path, status: answer.status, leaks }).toEqual({ path, status: 200, leaks: [] });
      }
    }
    const collection = `/collections/${collectionId}`;
    for (const path of [collection, `${collection}/events`, `/jobs/${tenant.jobId}`]) {
      expect((await as(other, path)).status).toBe(404);
    }
    expect((await as(tenant.userId, `/assets/${assetId}`)).text).toContain(canary);
  });
});
