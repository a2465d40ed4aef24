import { randomUUID } from 'node:crypto';
import { AssetInputs } from '#libs/assets/asset-inputs.js';
import { loadForeignOutputs } from '#libs/generations/foreign-outputs.js';
import type { Step } from '#libs/instruction-set/instruction-set.js';
import { createUser } from '../factories/job-submission.js';
import { createWorkflow } from '../factories/workflow.js';
import { startTestApi, type TestApi } from '../setup/api.js';
import { EventReader } from '../setup/event-source.js';
import { eventually } from '../setup/eventually.js';
import { call, outcomeOf, type Answered, type Call, type Envelope } from './calls.js';
import { methodOf, pathOf, ROUTES } from './routes.js';
import { Rows } from './rows.js';
import { createTenant, leaksOf, type Tenant } from './tenant.js';

const SCRIPT = { id: 'a', nodeName: 'javascript', nodePayload: { code: 'return 1' } };

describe('what is another tenant’s, asked for otherwise than by the path', () => {
  let api: TestApi;
  let tenant: Tenant;
  let other: string;
  let publicWorkflowId: string;

  beforeAll(async () => {
    api = await startTestApi();
    other = await createUser(api.database, 10);
    publicWorkflowId = (await createWorkflow(api.database, other, { data: { pipeline: { steps: [SCRIPT] } } })).id;
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    tenant = await createTenant(api);
  });

  const as = (userId: string, path: string, request: Call = {}): Promise<Answered> =>
    call(`${api.url}${path}`, { ...request, headers: { ...api.as(userId), ...request.headers } });
  const post = (path: string, body: unknown, headers = {}, userId = other) =>
    as(userId, path, { method: 'POST', body, headers });
  const dataOf = ({ json }: Answered): Envelope['data'] => json!.data;

  const WRITES: Array<[what: string, path: (t: Tenant) => string, body: (t: Tenant) => unknown, outcome: string]> = [
    ['a draft in their project', ({ projectId }) => `/projects/collections?project_id=${projectId}`, () => ({}),
      '404 PROJECT_NOT_FOUND'],
    ['a draft of their asset', ({ assetId }) => `/projects/collections?asset_id=${assetId}`, () => ({}), '404 NOT_FOUND'],
    ['a draft of their upload', ({ upload }) => `/projects/collections?asset_id=${upload.id}`, () => ({}), '404 NOT_FOUND'],
    ['a collection in their project', () => '/api/collections/generate',
      ({ projectId }) => ({ title: 'Dunes', workflow_id: publicWorkflowId, project_id: projectId }), '404 PROJECT_NOT_FOUND'],
    ['a collection of their workflow', () => '/api/collections/generate',
      ({ workflowId }) => ({ title: 'Dunes', workflow_id: workflowId }), '404 WORKFLOW_NOT_FOUND'],
    ['a workflow under their workflow’s name', () => '/workflows',
      ({ canary }) => ({ name: canary, type: 'basic', data: {} }), '409 NAME_TAKEN'],
  ];
  it.each(WRITES)('is not there for %s', async (_what, path, body, outcome) => {
    const rows = await Rows.of(api.database);
    const before = await rows.digests();
    const answer = await post(path(tenant), body(tenant));
    expect(outcomeOf(answer)).toBe(outcome);
    // Whoever takes a name is told that it is taken.
    expect(leaksOf(tenant, answer).filter((leak) => outcome !== '409 NAME_TAKEN' || leak !== tenant.canary)).toEqual([]);
    expect(await rows.digests()).toEqual(before);
  });

  it('is no workflow of a collection of one’s own', async () => {
    const mine = dataOf(await post('/projects/collections', { title: 'Mine', data: { steps: [SCRIPT], variables: {} } }));
    const answer = await post(`/collections/${mine.id}/generations`, { workflow_id: tenant.workflowId });
    expect(answer).toMatchObject({ status: 400, json: { details: [{ field: 'workflow_id' }] } });
    expect(leaksOf(tenant, answer)).toEqual([]);
  });

  const FILTERS: Array<(t: Tenant) => string> = [
    ({ collectionId }) => `/jobs?collection_id=${collectionId}`,
    ({ canary }) => `/jobs?tag=${canary}`,
    ({ canary }) => `/jobs?external_id=${canary}`,
    ({ canary }) => `/workflows?q=${canary}`,
    ({ canary }) => `/workflows?tag=${canary}`,
  ];
  it.each(FILTERS)('is not found by a filter: %s', async (path) => {
    expect(dataOf(await as(tenant.userId, path(tenant))).items.length).toBeGreaterThan(0);
    expect(dataOf(await as(other, path(tenant))).items).toEqual([]);
  });

  it.each(['/jobs', '/projects', '/assets', '/credits/ledger', '/api-keys', '/workflows'])(
    'does not come with their cursor: %s',
    async (path) => {
      await post('/projects', { name: tenant.canary }, {}, tenant.userId);
      await post('/api-keys', { name: tenant.canary }, {}, tenant.userId);
      const cursor = dataOf(await as(tenant.userId, `${path}?limit=1`)).next_cursor;
      expect(cursor).toEqual(expect.any(String));
      const answer = await as(other, `${path}?cursor=${cursor}`);
      expect(answer.status).toBe(200);
      expect(leaksOf(tenant, answer)).toEqual([]);
    },
  );

  it('is no input of a step, by the id or the address of a file, or by a step of another collection', async () => {
    const { assetId, collectionId, upload } = tenant;
    const references = [assetId, upload.id, `/files/${upload.key}`, `/files/${upload.key}?expires=9&signature=x`];
    const inputs = new AssetInputs(api.database);
    expect((await inputs.find(tenant.userId, references)).size).toBe(references.length);
    expect((await inputs.find(other, references)).size).toBe(0);
    const nodePayload = { code: 'return 1', inputs: { file: { $ref: '1', collection: collectionId } } };
    const steps: Step[] = [{ id: '2', nodeName: 'javascript', nodePayload }];
    await api.database.transaction(async (tx) => {
      expect((await loadForeignOutputs(tx, steps, tenant.userId)).size).toBe(1);
      expect((await loadForeignOutputs(tx, steps, other)).size).toBe(0);
    });
  });

  it('is not replayed from their Idempotency-Key', async () => {
    const keyed = Object.entries(ROUTES).filter(([route]) => KEYED.includes(route));
    expect(keyed).toHaveLength(KEYED.length);
    for (const [route, { at, body, gets }] of keyed) {
      const theirs = await createTenant(api);
      const path = pathOf(route, at?.(theirs));
      const headers = { 'idempotency-key': `key of ${randomUUID()}`.replaceAll(' ', '-') };
      const request = { method: methodOf(route), body: body?.(theirs), headers };
      const first = await as(theirs.userId, path, request);
      const again = await as(theirs.userId, path, request);
      const isReplayed = first.status < 300;
      expect({ route, replayed: again.headers.get('idempotency-replayed') }).toEqual({ route, replayed: isReplayed ? 'true' : null });
      const answer = await as(other, path, request);
      // Names of workflows are everyone's.
      const outcome = route === 'POST /workflows' ? '409 NAME_TAKEN' : gets.other;
      expect({ route, outcome: outcomeOf(answer) }).toEqual({ route, outcome });
      expect(answer.headers.get('idempotency-replayed')).toBeNull();
      expect(leaksOf(theirs, answer)).toEqual([]);
      if (answer.status < 300) expect(answer.text).not.toBe(first.text);
    }
  });

  it('is opened by a stream token for that one job’s events, and nothing else', async () => {
    const { jobId, cancelledJobId, collectionId, userId } = tenant;
    const { token } = dataOf(await post(`/jobs/${jobId}/stream-token`, undefined, {}, userId));
    const closed = [`/jobs/${cancelledJobId}/events`, `/jobs/${jobId}`, `/jobs/${jobId}/history`, '/events', '/jobs',
      `/collections/${collectionId}/events`, `/collections/${collectionId}`];
    for (const path of closed) {
      const answers = [await call(`${api.url}${path}?access_token=${token}`),
        await call(`${api.url}${path}`, { headers: { authorization: `Bearer ${token}` } })];
      for (const answer of answers) {
        expect({ path, outcome: outcomeOf(answer) }).toEqual({ path, outcome: '401 UNAUTHENTICATED' });
        expect(leaksOf(tenant, answer)).toEqual([]);
      }
    }
    const answer = await call(`${api.url}/jobs/${jobId}/events?access_token=${token}`);
    expect(answer).toMatchObject({ status: 200, text: expect.stringContaining(tenant.canary) });
    // One’s own credentials come first.
    expect(outcomeOf(await as(other, `/jobs/${jobId}/events?access_token=${token}`))).toBe('404 JOB_NOT_FOUND');
  });

  it('does not happen on one’s own streams', async () => {
    const own = dataOf(await post('/api/collections/generate', { title: 'Mine', workflow_id: publicWorkflowId }));
    const mine = await Promise.all(
      ['/events', `/collections/${own.collection_id}/events`].map((path) => EventReader.open(`${api.url}${path}`, api.as(other))),
    );
    const theirs = await EventReader.open(`${api.url}/events`, api.as(tenant.userId));
    await post(`/jobs/${tenant.jobId}/cancel`, undefined, {}, tenant.userId);
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

  it('is not shown by the signature of another file, nor by one that has expired', async () => {
    const mine = dataOf(await post('/assets', ROUTES['POST /assets']!.body!(tenant)));
    const signed = new URL(mine.url, api.url);
    expect((await call(signed.href)).status).toBe(200);
    for (const query of [signed.search, signed.search.replace(/expires=\d+/, 'expires=99999999999'), '?expires=1&signature=']) {
      const answer = await call(`${api.url}/files/${tenant.upload.key}${query}`);
      expect(outcomeOf(answer)).toBe('404 NOT_FOUND');
      expect(leaksOf(tenant, answer)).toEqual([]);
    }
  });

  it('is not for keys that were revoked, nor admin’s for keys of users', async () => {
    const key = dataOf(await post('/api-keys', { name: 'server' }));
    const bearer = { headers: { authorization: `Bearer ${key.key}` } };
    expect((await call(`${api.url}/credits`, bearer)).status).toBe(200);
    const reconcile = { ...bearer, method: 'POST' };
    expect(outcomeOf(await call(`${api.url}/admin/credits/reconcile`, reconcile))).toBe('403 FORBIDDEN');
    expect(outcomeOf(await post('/api-keys', { name: 'server', role: 'admin' }))).toBe('403 FORBIDDEN');
    await as(other, `/api-keys/${key.id}`, { method: 'DELETE' });
    expect(outcomeOf(await call(`${api.url}/credits`, bearer))).toBe('401 UNAUTHENTICATED');
  });

  it('shows of a published collection what its owner does not keep, and no more', async () => {
    const { collectionId, assetId, canary } = tenant;
    await api.database.query(
      `update collection set status = 'published', title = 'Open', description = null, cover_image_url = null where id = $1`,
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
    for (const path of [`/collections/${collectionId}`, `/collections/${collectionId}/events`, `/jobs/${tenant.jobId}`]) {
      expect((await as(other, path)).status).toBe(404);
    }
    expect((await as(tenant.userId, `/assets/${assetId}`)).text).toContain(canary);
  });
});

/** Routes that take an `Idempotency-Key`. */
const KEYED = [
  'POST /api/collections/generate', 'POST /projects/collections', 'POST /collections/:id/generations', 'POST /projects',
  'POST /jobs/:id/resume', 'POST /jobs/:id/generations/:index/resume', 'POST /workflows', 'POST /assets',
];
