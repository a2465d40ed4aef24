import { randomUUID } from 'node:crypto';
import { AssetInputs } from '#libs/assets/asset-inputs.js';
import { loadForeignOutputs } from '#libs/generations/foreign-outputs.js';
import { NodeRegistry } from '#libs/nodes/registry.js';
import type { Step } from '#libs/instruction-set/instruction-set.js';
import { createUser } from '../factories/job-submission.js';
import { createWorkflow } from '../factories/workflow.js';
import { startTestApi, type TestApi } from '../setup/api.js';
import { asUser, dataOf } from './callers.js';
import { outcomeOf, type Call } from './calls.js';
import { methodOf, pathOf, ROUTES } from './routes.js';
import { Rows } from './rows.js';
import { createTenant, leaksOf, type Tenant } from './tenant.js';

/** Routes that take an `Idempotency-Key`. */
const KEYED = [
  'POST /api/collections/generate', 'POST /projects/collections', 'POST /collections/:id/generations',
  'POST /collections/:id/remix', 'POST /projects', 'POST /jobs/:id/resume', 'POST /jobs/:id/generations/:index/resume', 'POST /workflows',
  'POST /assets',
];

const SCRIPT = { id: 'a', nodeName: 'javascript', nodePayload: { code: 'return 1' } };

describe('what is another tenant’s, asked for otherwise than by the path', () => {
  let api: TestApi;
  let tenant: Tenant;
  let other: string;
  let publicWorkflowId: string;

  beforeAll(async () => {
    api = await startTestApi();
    other = await createUser(api.database, 10);
    publicWorkflowId = (
      await createWorkflow(api.database, other, { data: { pipeline: { steps: [SCRIPT] } } })
    ).id;
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    tenant = await createTenant(api);
  });

  const as = (userId: string, path: string, request?: Call) => asUser(api, userId, path, request);
  const post = (path: string, body: unknown, headers = {}, userId = other) =>
    as(userId, path, { method: 'POST', body, headers });

  const WRITES: Array<
    [what: string, path: (t: Tenant) => string, body: (t: Tenant) => unknown, outcome: string]
  > = [
    [
      'a draft in their project',
      ({ projectId }) => `/projects/collections?project_id=${projectId}`,
      () => ({}),
      '404 PROJECT_NOT_FOUND',
    ],
    [
      'a draft of their asset',
      ({ assetId }) => `/projects/collections?asset_id=${assetId}`,
      () => ({}),
      '404 NOT_FOUND',
    ],
    [
      'a draft of their upload',
      ({ upload }) => `/projects/collections?asset_id=${upload.id}`,
      () => ({}),
      '404 NOT_FOUND',
    ],
    [
      'a collection in their project',
      () => '/api/collections/generate',
      ({ projectId }) => ({ title: 'Dunes', workflow_id: publicWorkflowId, project_id: projectId }),
      '404 PROJECT_NOT_FOUND',
    ],
    [
      'a collection of their workflow',
      () => '/api/collections/generate',
      ({ workflowId }) => ({ title: 'Dunes', workflow_id: workflowId }),
      '404 WORKFLOW_NOT_FOUND',
    ],
    [
      'a workflow under their workflow’s name',
      () => '/workflows',
      ({ canary }) => ({ name: canary, type: 'basic', data: {} }),
      '409 NAME_TAKEN',
    ],
  ];
  it.each(WRITES)('is not there for %s', async (_what, path, body, outcome) => {
    const rows = await Rows.of(api.database);
    const before = await rows.digests();
    const answer = await post(path(tenant), body(tenant));
    expect(outcomeOf(answer)).toBe(outcome);
    // Whoever takes a name is told that it is taken.
    expect(
      leaksOf(tenant, answer).filter((leak) => outcome !== '409 NAME_TAKEN' || leak !== tenant.canary),
    ).toEqual([]);
    expect(await rows.digests()).toEqual(before);
  });

  it('is no workflow of a collection of one’s own', async () => {
    const mine = dataOf(
      await post('/projects/collections', { title: 'Mine', data: { steps: [SCRIPT], variables: {} } }),
    );
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

  it('is no input of a step: no file by its id or address, no step of their collection', async () => {
    const { assetId, collectionId, upload } = tenant;
    const address = `/files/${upload.key}`;
    const references = [assetId, upload.id, address, `${address}?expires=9&signature=x`];
    const inputs = new AssetInputs(api.database);
    expect((await inputs.find(tenant.userId, references)).size).toBe(references.length);
    expect((await inputs.find(other, references)).size).toBe(0);
    const nodePayload = { code: 'return 1', inputs: { file: { $ref: '1', collection: collectionId } } };
    const steps: Step[] = [{ id: '2', nodeName: 'javascript', nodePayload }];
    const registry = new NodeRegistry([]);
    await api.database.transaction(async (tx) => {
      expect((await loadForeignOutputs(tx, { steps, variables: {} }, registry, tenant.userId)).size).toBe(1);
      expect((await loadForeignOutputs(tx, { steps, variables: {} }, registry, other)).size).toBe(0);
    });
  });

  it('is not replayed from their Idempotency-Key', async () => {
    const keyed = Object.entries(ROUTES).filter(([route]) => KEYED.includes(route));
    expect(keyed).toHaveLength(KEYED.length);
    for (const [route, { at, body, gets }] of keyed) {
      const theirs = await createTenant(api);
      const path = pathOf(route, at?.(theirs));
      const headers = { 'idempotency-key': randomUUID() };
      const request = { method: methodOf(route), body: body?.(theirs), headers };
      const first = await as(theirs.userId, path, request);
      const again = await as(theirs.userId, path, request);
      const replayed = again.headers.get('idempotency-replayed');
      expect({ route, replayed }).toEqual({ route, replayed: first.status < 300 ? 'true' : null });
      const answer = await as(other, path, request);
      // Names of workflows are everyone's.
      const outcome = route === 'POST /workflows' ? '409 NAME_TAKEN' : gets.other;
      expect({ route, outcome: outcomeOf(answer) }).toEqual({ route, outcome });
      expect(answer.headers.get('idempotency-replayed')).toBeNull();
      expect(leaksOf(theirs, answer)).toEqual([]);
      if (answer.status < 300) expect(answer.text).not.toBe(first.text);
    }
  });
});
