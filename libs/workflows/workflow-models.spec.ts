import { ComfyServers } from '#libs/comfyui/comfy-servers.js';
import { ComfyStandIn } from '../../test/setup/comfyui/stand-in.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { WorkflowModels } from './workflow-models.js';

const workflow = (name: string, dynamic = 'ink.safetensors') => ({
  data: { required_models: { static: { checkpoints: [name] }, dynamic: { loras: [dynamic] } } },
});

describe('the models of a workflow', () => {
  let standIn: ComfyStandIn;
  let servers: ComfyServers;
  let models: WorkflowModels;

  beforeEach(async () => {
    standIn = await ComfyStandIn.start({ models: { checkpoints: ['a.safetensors'] } });
    servers = new ComfyServers([standIn.url]);
    models = new WorkflowModels(servers);
  });
  afterEach(async () => {
    await servers.close();
    await standIn.close();
  });

  it('are all that it names, each with the servers that have it', async () => {
    expect(await models.of(workflow('a.safetensors'))).toEqual([
      { kind: 'checkpoints', name: 'a.safetensors', available: true, servers: [standIn.name] },
      { kind: 'loras', name: 'ink.safetensors', available: false, servers: [] },
    ]);
    expect(await models.of({ data: {} })).toEqual([]);
    expect(await models.of({ data: { required_models: null } })).toEqual([]);
  });

  it('stop a submission when every edition needs one that no server has', async () => {
    await models.assertAvailable([workflow('a.safetensors'), { data: {} }]);
    await expect(models.assertAvailable([workflow('a.safetensors'), workflow('b.safetensors')])).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE', status: 409, message: expect.stringContaining('b.safetensors'),
    });
  });

  it('stop none while no server answers, and all that need one where there is no server', async () => {
    await standIn.kill();
    await models.assertAvailable([workflow('b.safetensors')]);
    const none = new WorkflowModels(new ComfyServers([]));
    await expect(none.assertAvailable([workflow('a.safetensors')])).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
    await none.assertAvailable([{ data: {} }]);
  });

  it('stop a submission that chooses one that no server has, where that is known before it runs', async () => {
    const form = { fields: [{ id: 'style', default: 'a.safetensors' }] };
    const chosen = { data: { form, required_models: { dynamic: { checkpoints: ['style'] } } } };
    const submit = (nodePayload: JsonObject, variables = {}) =>
      models.assertChosen({ steps: [{ nodeName: 'fox', nodePayload }], variables }, new Map([['fox', chosen]]));
    await submit({});
    await submit({ style: { $ref: 1 } });
    await submit({ style: '{{brush}}' }, { brush: 'a.safetensors' });
    await expect(submit({ style: '{{brush}}' }, { brush: 'b.safetensors' })).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE', message: expect.stringContaining('b.safetensors'),
    });
  });
});
