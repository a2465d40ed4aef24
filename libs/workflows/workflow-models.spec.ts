import { ComfyServers } from '#libs/comfyui/comfy-servers.js';
import { ComfyStandIn } from '../../test/setup/comfyui/stand-in.js';
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
});
