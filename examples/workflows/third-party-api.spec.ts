import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { NIL } from 'uuid';
import { computeCost } from '#libs/credits/credit-script.js';
import type { Database } from '#libs/database/database.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { createNodes } from '#libs/nodes/index.js';
import { NodeRegistry } from '#libs/nodes/registry.js';
import { QuickJsSandbox } from '#libs/sandbox/quickjs/quickjs-sandbox.js';
import { StepWorkflows } from '#libs/workflows/step-workflows.js';
import { validateVariables } from '#libs/workflows/form-variables.js';
import { WorkflowCatalog } from '#libs/workflows/workflow-catalog.js';
import { WorkflowCheck } from '#libs/workflows/workflow-check.js';
import { buildApiRoad, type ApiRoad } from '../../test/factories/api-road.js';
import { nodeTools } from '../../test/factories/node-tools.js';

const read = (name: string) => readFileSync(new URL(`third-party-api/${name}`, import.meta.url), 'utf8');
const part = (name: string) => JSON.parse(read(`${name}.json`)) as JsonObject;
const data: JsonObject = {
  form: part('form'), inputs: part('inputs'), api: part('api'), body: part('body'), test: part('test'), credits: read('credits.js'),
};
const sandbox = new QuickJsSandbox();
let api: ApiRoad;
beforeAll(async () => {
  api = await buildApiRoad();
});
afterAll(async () => {
  await api.close();
  await sandbox.close();
});

it('is a workflow as it stands, priced by the pixel', async () => {
  const nothingStored = { query: async () => [] } as unknown as Database;
  const registry = new NodeRegistry(createNodes(nodeTools({ scripts: sandbox })));
  const check = new WorkflowCheck(registry, sandbox, new StepWorkflows(new WorkflowCatalog(nothingStored), registry));
  const workflow = { name: 'third-party-api', type: 'fetch_api', data };
  expect(await check.faultsOf(workflow, { userId: NIL, role: 'user' })).toEqual([]);
  expect(await computeCost(sandbox, read('credits.js'), { width: 1440, height: 1440 })).toMatchObject({ cost: 0.12 });
});

it('makes a picture at a service that speaks like the one it calls', async () => {
  const picture = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'gold' } }).jpeg().toBuffer();
  api.safe.reset(({ path, headers, body }) => {
    if (path === '/picture') return [200, picture];
    if (headers['x-key'] === undefined) return [403, { detail: 'Not authenticated' }];
    if (path === '/v1/flux-pro-1.1') return [200, { id: `of ${String((body as JsonObject)['prompt'])}` }];
    const status = api.safe.calls.length < 4 ? 'Pending' : 'Ready';
    return [200, { status, result: status === 'Ready' ? { sample: `${api.safe.url}/picture` } : null }];
  });
  const here = JSON.stringify(data).replaceAll('https://api.bfl.ai', api.safe.url).replaceAll('BFL_API_KEY', 'API_KEY');
  const { values } = validateVariables(data['form'] as never, data['test'] as JsonObject);
  const { jobId } = await api.ends('completed', { data: JSON.parse(here), values, outputType: 'image/jpeg' });
  expect(api.safe.calls[0]?.body).toMatchObject({ prompt: values['prompt'], width: 512, height: 512, seed: expect.any(Number) });
  expect(api.safe.calls[1]?.path).toBe(`/v1/get_result?id=${encodeURIComponent(`of ${String(values['prompt'])}`)}`);
  const files = await api.road.database.query('select mime_type, size from flat_file where job_id = $1 and shown', [jobId]);
  expect(files).toMatchObject([{ mime_type: 'image/jpeg' }]);
});
