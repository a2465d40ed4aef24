import { readFileSync } from 'node:fs';
import { NIL } from 'uuid';
import type { ComfyOrder } from '#libs/comfyui/comfy-order.js';
import { ComfyServers } from '#libs/comfyui/comfy-servers.js';
import type { Database } from '#libs/database/database.js';
import { generateHash } from '#libs/instruction-set/hash.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { comfyWorkflowNode } from '#libs/nodes/comfy-workflow.node.js';
import type { NodeContext } from '#libs/nodes/node.js';
import { NodeRegistry } from '#libs/nodes/registry.js';
import type { RemoteImages } from '#libs/outbound/remote-images.js';
import { QuickJsSandbox } from '#libs/sandbox/quickjs/quickjs-sandbox.js';
import { comfyWorkflowKind } from '#libs/workflows/kinds/comfy-workflow.kind.js';
import { StepWorkflows } from '#libs/workflows/step-workflows.js';
import { systemValuesOf } from '#libs/workflows/system-values.js';
import { validateVariables } from '#libs/workflows/form-variables.js';
import { WorkflowCatalog } from '#libs/workflows/workflow-catalog.js';
import { WorkflowCheck } from '#libs/workflows/workflow-check.js';

const read = (name: string) => readFileSync(new URL(`comfy-text-to-image/${name}`, import.meta.url), 'utf8');
const part = (name: string) => JSON.parse(read(`${name}.json`)) as JsonObject;
const data = {
  form: part('form'), inputs: part('inputs'), workflow: part('workflow'), test: part('test'),
  required_models: part('required_models'), credits: read('credits.js'),
};
const sandbox = new QuickJsSandbox();
afterAll(() => sandbox.close());

it('is a workflow as it stands', async () => {
  const nothingStored = { query: async () => [] } as unknown as Database;
  const registry = new NodeRegistry([comfyWorkflowNode(new ComfyServers([]), {} as RemoteImages)]);
  const check = new WorkflowCheck(registry, sandbox, new StepWorkflows(new WorkflowCatalog(nothingStored), registry));
  const workflow = { name: 'comfy-text-to-image', type: 'comfy_workflow', data };
  expect(await check.faultsOf(workflow, { userId: NIL, role: 'user' })).toEqual([]);
});

it('has the form in its graph, and another seed for each edition', () => {
  const { values } = validateVariables(data.form as never, data.test);
  const orderOf = (hash: string) => {
    const edition = { userId: 'u', jobId: 'j', generationId: 'g' };
    const system = systemValuesOf({ hash, edition, generationIndex: 0 } as NodeContext, values, '');
    return comfyWorkflowKind.step!.payload(data as never, values, system, null) as unknown as ComfyOrder;
  };
  const [one, other] = [orderOf(generateHash()), orderOf(generateHash())];
  expect(one.graph[6]?.inputs['text']).toBe(data.test['prompt']);
  expect(one.graph[3]?.inputs).toMatchObject({ steps: 12, cfg: 7, sampler_name: 'euler', model: ['4', 0] });
  expect(one.graph[9]?.inputs['filename_prefix']).toBe('generations/u/j/g');
  expect(one.graph[3]?.inputs['seed']).not.toBe(other.graph[3]?.inputs['seed']);
  expect(one.models).toEqual([{ kind: 'checkpoints', name: 'v1-5-pruned-emaonly-fp16.safetensors' }]);
});
