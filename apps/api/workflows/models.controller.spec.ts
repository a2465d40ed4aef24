import { randomUUID } from 'node:crypto';
import { startTestApi, type TestApi } from '../../../test/setup/api.js';
import { ComfyStandIn } from '../../../test/setup/comfyui/stand-in.js';
import { ModelsController } from './models.controller.js';

const workflow = (checkpoint: string) => ({
  name: `graph-${randomUUID()}`,
  type: 'comfy_workflow',
  output_mime_type: 'image/png',
  data: {
    form: { fields: [{ id: 'color', type: 'number', default: 1 }] },
    workflow: { 1: { class_type: 'EmptyImage', inputs: { color: 1 } }, 2: { class_type: 'SaveImage', inputs: { images: ['1', 0] } } },
    inputs: { 1: { color: { value: 'color' } } },
    required_models: { static: { checkpoints: [checkpoint] }, dynamic: { loras: ['ink.safetensors'] } },
    credits: { per_generation: 0 },
  },
});

describe(ModelsController.name, () => {
  let standIn: ComfyStandIn;
  let api: TestApi;

  beforeAll(async () => {
    standIn = await ComfyStandIn.start({ models: { checkpoints: ['a.safetensors'] } });
    api = await startTestApi({ COMFYUI_URLS: standIn.url });
  });
  afterAll(async () => {
    await api.close();
    await standIn.close();
  });

  const author = randomUUID();
  const send = async (method: string, path: string, json?: unknown) => {
    const headers = { ...api.as(author), 'content-type': 'application/json' };
    const response = await fetch(`${api.url}${path}`, { method, headers, ...(json !== undefined && { body: JSON.stringify(json) }) });
    return { status: response.status, body: (await response.json()) as { data: never; code?: string; details?: unknown } };
  };
  const stored = async (checkpoint: string) =>
    ((await send('POST', '/workflows', workflow(checkpoint))).body.data as { id: string }).id;

  it('lists the models of a workflow, and says which are there', async () => {
    const { status, body } = await send('GET', `/workflows/${await stored('a.safetensors')}/models`);
    expect(status).toBe(200);
    expect(body.data).toEqual({
      items: [
        { kind: 'checkpoints', name: 'a.safetensors', available: true, servers: [standIn.name] },
        { kind: 'loras', name: 'ink.safetensors', available: false, servers: [] },
      ],
      next_cursor: null,
    });
  });

  it('keeps what cannot be made from being submitted or tried, before its variables are judged', async () => {
    const id = await stored('b.safetensors');
    const request = { title: 'x', workflow_id: id, variables: { nothing: 1 } };
    const refusal = { status: 409, body: { code: 'MODEL_UNAVAILABLE', details: [{ kind: 'checkpoints', name: 'b.safetensors' }] } };
    expect(await send('POST', '/api/collections/generate', request)).toMatchObject(refusal);
    expect(await send('POST', `/workflows/${id}/test`, {})).toMatchObject(refusal);
  });

  it('takes what can be made', async () => {
    const request = { title: 'x', workflow_id: await stored('a.safetensors'), variables: {} };
    expect((await send('POST', '/api/collections/generate', request)).status).toBe(201);
  });
});
