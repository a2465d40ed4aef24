import { randomUUID } from 'node:crypto';
import { FormConfigs } from '#libs/form-configs/form-configs.js';
import type { WorkflowData } from '#libs/workflows/stored-workflow.js';
import { createAsset, createCollection } from '../factories/asset.js';
import { submitJob } from '../factories/job.js';
import { createUser } from '../factories/job-submission.js';
import { createWorkflow } from '../factories/workflow.js';
import type { TestApi } from '../setup/api.js';
import type { Answered } from './calls.js';

/** A user who owns one of everything. Each text of it, however deep, holds `canary`. */
export interface Tenant {
  userId: string;
  /** What nobody else may ever see: a mark in all texts, the editions' hashes, the user's id. */
  secrets: string[];
  canary: string;
  projectId: string;
  /** A draft. */
  collectionId: string;
  /** A draft with a finished edition, and nothing open. */
  madeCollectionId: string;
  /** Two pending generations of the collection. */
  jobId: string;
  /** The same, cancelled. */
  cancelledJobId: string;
  /** A record of the two-step face that waits, one of v1, and one of v1 that was cancelled. */
  imageId: string;
  v1ImageId: string;
  endedV1ImageId: string;
  /** Of the job's webhook. */
  deliveryId: string;
  /** Made by the job's generation 0, without bytes. */
  assetId: string;
  /** Uploaded, with bytes. */
  upload: { id: string; key: string };
  apiKeyId: string;
  /** Of the workflow. */
  pauseId: string;
  /** Private. */
  workflowId: string;
  /** The installation's, made by the tenant: nothing of the tenant's own. */
  formConfig: { id: string; name: string };
}

const PAID = 10;

export async function createTenant(api: TestApi): Promise<Tenant> {
  const { database } = api;
  const userId = await createUser(database, PAID);
  const canary = `canary-${randomUUID()}`;
  const collectionId = await createCollection(database, userId, { status: 'draft' });
  const [jobId, cancelledJobId] = [
    await createJob(api, userId, canary),
    await createJob(api, userId, canary),
  ];
  const endedV1ImageId = await createImage(api, userId, canary, 'v1');
  for (const id of [cancelledJobId, endedV1ImageId]) {
    await fetch(`${api.url}/jobs/${id}/cancel`, { method: 'POST', headers: api.as(userId) });
  }
  const asset = await createAsset(database, { userId, collectionId, name: `${canary}.png` });
  const workflow = await createWorkflow(database, userId, {
    name: canary,
    label: canary,
    description: canary,
    tags: [canary.slice(0, 50)],
    visibility: 'private',
    data: workflowData(canary),
  });
  await createSecret(api, userId, canary);
  const tenant = {
    userId,
    canary,
    collectionId,
    madeCollectionId: await createMadeCollection(api, userId, canary),
    jobId,
    cancelledJobId,
    imageId: await createImage(api, userId, canary, 'two_step'),
    v1ImageId: await createImage(api, userId, canary, 'v1'),
    endedV1ImageId,
    deliveryId: await createDelivery(api, jobId, canary),
    assetId: asset.id,
    workflowId: workflow.id,
    upload: await upload(api, userId, canary),
    apiKeyId: await createApiKey(api, userId, canary),
    pauseId: await createPause(api, workflow.id),
    formConfig: await createFormConfig(api),
  };
  return { ...tenant, ...(await plant(api, tenant)) };
}

/** A script, which costs nothing. */
const stepsOf = (canary: string) => [
  { id: 1, nodeName: 'javascript', nodePayload: { code: `return '${canary}'` } },
];

const instructionSet = (canary: string) => ({
  version: 'v2',
  steps: stepsOf(canary),
  generations: { hashes: [], generations: 1, use_custom_hashes: false },
  variables: { word: canary },
});

const workflowData = (canary: string): WorkflowData => ({
  form: { fields: [{ id: 'word', type: 'input', default: canary }] },
  pipeline: { steps: stepsOf(canary) },
});

async function createJob({ database }: TestApi, userId: string, canary: string) {
  const plan = { userId, generations: 2, steps: stepsOf(canary), variables: { word: canary } };
  return (await submitJob(database, plan)).jobId;
}

async function createMadeCollection({ database }: TestApi, userId: string, canary: string): Promise<string> {
  const id = await createCollection(database, userId, { status: 'draft' });
  await database.query('update collection set title = $2 where id = $1', [id, canary]);
  const { jobId } = await submitJob(database, { userId, steps: stepsOf(canary), price: 0 });
  await database.query(
    `with ended as (update generation set status = 'completed', completed_at = now() where job_id = $1)
     update job set status = 'completed', completed = 1, collection_id = $2 where id = $1`,
    [jobId, id],
  );
  return id;
}

/** Nothing waits behind it. */
async function createPause({ database }: TestApi, workflowId: string): Promise<string> {
  const id = randomUUID();
  await database.query(
    `insert into pause (id, scope, subject, mode, reason, created_by) values ($1, 'workflow', $2, 'pause', 'it fails', $1)`,
    [id, workflowId],
  );
  return id;
}

async function createImage({ database }: TestApi, userId: string, canary: string, face: 'two_step' | 'v1') {
  const { jobId } = await submitJob(database, { userId, steps: stepsOf(canary), variables: { word: canary } });
  await database.query('update job set face = $2 where id = $1', [jobId, face]);
  await database.query(
    `insert into image_generation (id, user_id, face, request, prompt) values ($1, $2, $3, $4, $5)`,
    [jobId, userId, face, JSON.stringify({ model: 'owner/name', parameters: { word: canary } }), canary],
  );
  return jobId;
}

async function upload(api: TestApi, userId: string, canary: string) {
  const form = new FormData();
  form.set('file', new Blob([`text with ${canary}`], { type: 'text/plain' }), `${canary}.txt`);
  const response = await fetch(`${api.url}/assets`, {
    method: 'POST',
    headers: api.as(userId),
    body: form,
  });
  const { data } = (await response.json()) as { data: { id: string } };
  const [row] = await api.database.query<{ key: string }>(
    'select storage_key as key from flat_file where id = $1',
    [data.id],
  );
  return { id: data.id, key: row!.key };
}

async function createApiKey(api: TestApi, userId: string, name: string): Promise<string> {
  const headers = { ...api.as(userId), 'content-type': 'application/json' };
  const body = JSON.stringify({ name });
  const response = await fetch(`${api.url}/api-keys`, { method: 'POST', headers, body });
  return ((await response.json()) as { data: { id: string } }).data.id;
}

async function createFormConfig({ database }: TestApi): Promise<{ id: string; name: string }> {
  const options = [{ value: 'ink' }];
  const { id, name } = await new FormConfigs(database).create(database, { name: `list ${randomUUID()}`, options });
  return { id, name };
}

/** Its value is never told, its name to its owner. */
async function createSecret(api: TestApi, userId: string, canary: string): Promise<void> {
  const headers = { ...api.as(userId), 'content-type': 'application/json' };
  await fetch(`${api.url}/secrets/${canary}`, { method: 'PUT', headers, body: JSON.stringify({ value: canary }) });
}

async function createDelivery({ database }: TestApi, jobId: string, canary: string): Promise<string> {
  const [row] = await database.query<{ id: string }>(
    `with named as (
       insert into webhook (job_id, user_id, url, host, events)
       select id, user_id, 'https://hooks.test/' || $2, 'hooks.test', array['job_completed'] from job where id = $1
       returning job_id, user_id, host
     )
     insert into delivery (job_id, user_id, host, seq, type, last_error)
     select job_id, user_id, host, 1, 'job_completed', $2 from named returning id`,
    [jobId, canary],
  );
  return row!.id;
}

type Planted = Omit<Tenant, 'projectId' | 'secrets'>;

/** Puts the mark wherever the rows hold text. */
async function plant(
  { database }: TestApi,
  tenant: Planted,
): Promise<{ projectId: string; secrets: string[] }> {
  const { userId, canary, collectionId, jobId, cancelledJobId, assetId } = tenant;
  const marked = JSON.stringify({ message: canary });
  const run = (sql: string, ...parameters: unknown[]) =>
    database.query<Record<string, string>>(sql, parameters);
  const [collection] = await run(
    `update collection set title = $2, description = $2, data = $3,
                           cover_image_url = 'https://example.com/' || $2
      where id = $1 returning project_id`,
    collectionId, canary, JSON.stringify(instructionSet(canary)),
  );
  await run('update project set name = $2 where id = $1', collection!['project_id'], canary);
  await run(
    `insert into collection_history (collection_id, user_id, action, data) values ($1, $2, 'created', $3)`,
    collectionId, userId, marked,
  );
  for (const id of [jobId, cancelledJobId, tenant.imageId, tenant.v1ImageId]) await markJob(database, id, tenant);
  await run(
    `update flat_file f
        set gen_in_data = $2::jsonb || $4::jsonb, gen_out_data = $2, job_id = g.job_id, generation_id = g.id, step_id = 1
       from generation g where f.id = $1 and g.job_id = $3 and g.index = 0`,
    assetId, marked, jobId, JSON.stringify(instructionSet(canary)),
  );
  await run('insert into rerender (job_id, asset_id) values ($1, $2)', cancelledJobId, assetId);
  await run('update credit_entry set description = $2 where user_id = $1', userId, canary);
  const hashes = await run('select hash from generation where user_id = $1', userId);
  return {
    projectId: collection!['project_id']!,
    secrets: [canary, userId, ...hashes.map(({ hash }) => hash!)],
  };
}

async function markJob(
  database: TestApi['database'],
  jobId: string,
  { canary, collectionId }: Planted,
): Promise<void> {
  const marked = JSON.stringify({ message: canary });
  await database.query(
    `with recorded as (
       update job set name = $2, description = $2, options = $3, tags = array[$2], external_id = $2,
                      error = jsonb_build_object('code', 'X', 'message', $2::text), collection_id = $4,
                      seq = seq + 1
        where id = $1 returning id, user_id, seq
     )
     insert into job_history (job_id, user_id, seq, type, data)
     select id, user_id, seq, 'node_completed', $3 from recorded`,
    [jobId, canary, marked, collectionId],
  );
  await database.query(
    `with marked as (
       update generation
          set values = $3, traits = jsonb_build_array(jsonb_build_object('trait_type', $2::text, 'value', $2::text))
        where job_id = $1 returning id
     )
     insert into step_run (generation_id, run, step_id, attempt, node, alias, status, token, output, logs,
                           completed_at)
     select id, 1, 1, 1, 'javascript', $2, 'completed', gen_random_uuid(),
            jsonb_build_object('value', $2::text, 'assets', '[]'::jsonb, 'traits', '[]'::jsonb),
            jsonb_build_array($2::text), now() from marked`,
    [jobId, canary, marked],
  );
}

/** What of the tenant's secrets an answer tells, in its body or its headers. */
export function leaksOf({ secrets }: Tenant, { text, headers }: Answered): string[] {
  const told = `${text}\n${JSON.stringify([...headers])}`;
  return secrets.filter((secret) => told.includes(secret));
}
