import { FormConfigs } from '#libs/form-configs/form-configs.js';
import type { WorkflowInput } from '#libs/workflows/stored-workflow.js';
import { createAsset } from '../factories/asset.js';
import { createUser } from '../factories/job-submission.js';
import { createWorkflow } from '../factories/workflow.js';
import type { TestApi } from '../setup/api.js';
import { call } from './calls.js';
import { TWO_STEP } from './routes.js';
import type { Tenant } from './tenant.js';

/** Plans with limits that a test can reach. `PLANS` of the API. */
export const NARROW_PLANS = JSON.stringify({
  free: { submitsPerMinute: 100_000, readsPerMinute: 100_000, maxInFlight: 1_000, monthlyGenerations: 1_000 },
  grounded: { maxInFlight: 0 },
  spent: { monthlyGenerations: 0 },
  narrow: { submitsPerMinute: 100_000, readsPerMinute: 100_000, maxOpenGenerations: 1, storageBytes: 1 },
});
/** `MAX_ASSET_BYTES` of the API. */
export const SMALL_ASSETS = '10000';

/** Whom and what the requests of `REFUSALS` meet. */
export interface Hindrances {
  tenant: Tenant;
  poor: string;
  /** On the plan of that name, with credits. */
  narrow: string;
  /** On the same, with as much open as it allows. */
  busy: string;
  /** With credits, on plans that let nothing fly, and nothing be made in a month. */
  grounded: string;
  spent: string;
  /** Of the tenant, cancelled. */
  endedImageId: string;
  /** Public, two credits a generation. */
  workflowId: string;
  /** Public, and nothing that executes. */
  formId: string;
  /** Public, a ComfyUI graph that needs a model: there is no server. */
  graphId: string;
  /** Of the tenant, with the graph as its step. */
  graphCollectionId: string;
  /** Of the tenant, with as many editions as it may ever have. */
  fullCollectionId: string;
  /** Of the one on the narrow plan. */
  pairCollectionId: string;
  /** Of the poor one, made of `workflowId`. */
  spentCollectionId: string;
  /** Of the poor one, cancelled, and its price spent since. */
  spentJobId: string;
  /** Of a list of options. */
  takenListName: string;
  /** Of the poor one and of the busy one: files that can be made again. */
  poorAssetId: string;
  busyAssetId: string;
}

const STEPS = [{ id: 'a', nodeName: 'javascript', nodePayload: { code: 'return 1' } }];
const PRICE = 2;
const GRAPH: Partial<WorkflowInput> = {
  type: 'comfy_workflow',
  output_mime_type: 'image/png',
  data: {
    workflow: { 1: { class_type: 'SaveImage', inputs: {} } },
    required_models: { static: { checkpoints: ['a.safetensors'] } },
    credits: { per_generation: 0 },
  },
};

export async function createHindrances(api: TestApi, tenant: Tenant): Promise<Hindrances> {
  const { database } = api;
  const [poor, narrow, busy] = [
    await createUser(database, PRICE), await createUser(database, 100), await createUser(database, 100),
  ];
  await database.query(`update account set plan = 'narrow' where user_id = any($1)`, [[narrow, busy]]);
  const [grounded, spentUser] = [await createUser(database, 10), await createUser(database, 10)];
  await database.query(`update account set plan = 'grounded' where user_id = $1`, [grounded]);
  await database.query(`update account set plan = 'spent' where user_id = $1`, [spentUser]);
  const data = { credits: { base: 0, per_generation: PRICE }, pipeline: { steps: STEPS } };
  const { id: workflowId } = await createWorkflow(database, tenant.userId, { data });
  const form = { type: 'basic' as const, data: { form: { fields: [] } } };
  const { id: formId } = await createWorkflow(database, tenant.userId, form);
  const { id: graphId, name: graph } = await createWorkflow(database, tenant.userId, GRAPH);
  const post = async (userId: string, path: string, body?: unknown) =>
    (await call(`${api.url}${path}`, { method: 'POST', headers: api.as(userId), body })).json!.data;
  const full = await post(tenant.userId, '/projects/collections', {
    title: 'Full',
    editions: 1,
    data: { steps: STEPS },
  });
  await post(tenant.userId, `/collections/${full.id}/generations`, {});
  await post(busy, `/workflows/${workflowId}/test`, {});
  const pair = await post(narrow, '/projects/collections', { title: 'Pair', data: { steps: STEPS } });
  const graphs = await post(tenant.userId, '/projects/collections', {
    title: 'Graphs',
    data: { steps: [{ id: 'a', nodeName: graph, nodePayload: {} }] },
  });
  const spent = await post(poor, '/api/collections/generate', { title: 'Spent', workflow_id: workflowId });
  await post(poor, `/jobs/${spent.job_id}/cancel`);
  await database.query('update account set balance = 0 where user_id = $1', [poor]);
  const list = { name: `taken ${tenant.canary}`, options: [{ value: 1 }] };
  const { name: takenListName } = await new FormConfigs(database).create(database, list);
  const record = (await post(tenant.userId, '/api/generation/create', TWO_STEP)) as unknown as { generationId: string };
  await post(tenant.userId, `/api/generation/${record.generationId}/cancel`);
  return {
    poorAssetId: await createMadeAsset(api, poor),
    busyAssetId: await createMadeAsset(api, busy),
    grounded,
    spent: spentUser,
    endedImageId: record.generationId,
    takenListName,
    tenant,
    poor,
    narrow,
    busy,
    workflowId,
    formId,
    graphId,
    graphCollectionId: graphs.id,
    fullCollectionId: full.id,
    pairCollectionId: pair.id,
    spentCollectionId: spent.collection_id,
    spentJobId: spent.job_id,
  };
}

/** As if a generation of the user's had made it. */
async function createMadeAsset({ database }: TestApi, userId: string): Promise<string> {
  const { id } = await createAsset(database, { userId });
  const set = { version: 'v2', steps: [{ ...STEPS[0], id: 1 }], variables: {}, generations: { hashes: [], generations: 1, use_custom_hashes: false } };
  await database.query(
    `update flat_file f set gen_in_data = $2, job_id = g.job_id, generation_id = g.id, step_id = 1, index = 0
       from (select id, job_id from generation where user_id = $3 limit 1) as g where f.id = $1`,
    [id, JSON.stringify(set), userId],
  );
  return id;
}
