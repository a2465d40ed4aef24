import { readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { NIL } from 'uuid';
import type { Database } from '#libs/database/database.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { p5ToVideoNode } from '#libs/nodes/p5-to-video.node.js';
import { NodeRegistry } from '#libs/nodes/registry.js';
import type { RemoteImages } from '#libs/outbound/remote-images.js';
import { QuickJsSandbox } from '#libs/sandbox/quickjs/quickjs-sandbox.js';
import { StepWorkflows } from '#libs/workflows/step-workflows.js';
import { WorkflowCatalog } from '#libs/workflows/workflow-catalog.js';
import { WorkflowCheck } from '#libs/workflows/workflow-check.js';
import { HASH, OTHER_HASHES, testRenderer } from '../../test/factories/sketch-run.js';
import { videoRun } from '../../test/factories/video.js';

const part = (name: string) =>
  JSON.parse(readFileSync(new URL(`p5-video/${name}.json`, import.meta.url), 'utf8')) as JsonObject;
const { form, pipeline, test } = { form: part('form'), pipeline: part('pipeline'), test: part('test') };
const { code } = (pipeline as { steps: Array<{ nodePayload: { code: string } }> }).steps[0]!.nodePayload;

const sandbox = new QuickJsSandbox();
const renderer = testRenderer();
afterAll(() => Promise.all([sandbox.close(), renderer.close()]));

it('is a workflow as it stands', async () => {
  const nothingStored = { query: async () => [] } as unknown as Database;
  const registry = new NodeRegistry([p5ToVideoNode(renderer, {} as RemoteImages)]);
  const check = new WorkflowCheck(registry, sandbox, new StepWorkflows(new WorkflowCatalog(nothingStored), registry));
  const workflow = { name: 'p5-video', type: 'pipeline', data: { form, pipeline, test } };
  expect(await check.faultsOf(workflow, { userId: NIL, role: 'user' })).toEqual([]);
});

it('is another video for another hash, names its features and says nothing else', async () => {
  const record = async (hash: string) => {
    const run = videoRun(code, { frames: 3, fps: 30 }, { hash, variables: test, width: 128, height: 128 });
    const { bytes, ...said } = await renderer.record(run);
    return { said, bytes: await buffer(bytes) };
  };
  const [one, other] = await Promise.all([record(HASH), record(OTHER_HASHES[0]!)]);
  expect(one.said).toMatchObject({ width: 128, height: 128, logs: [], features: { Palette: 'reef', Ribbons: 8 } });
  expect(other.bytes.equals(one.bytes)).toBe(false);
});
