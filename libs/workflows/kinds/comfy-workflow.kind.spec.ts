import type { ComfyOrder } from '#libs/comfyui/comfy-order.js';
import { AssetHandle } from '#libs/nodes/node.js';
import type { WorkflowData } from '../stored-workflow.js';
import type { SystemValues } from '../system-values.js';
import { comfyWorkflowKind } from './comfy-workflow.kind.js';

const workflow = {
  3: { class_type: 'KSampler', inputs: { seed: 1, steps: 20, model: ['4', 0], cfg: 8 } },
  4: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'a.safetensors' } },
  6: { class_type: 'CLIPTextEncode', inputs: { text: 'a fox', clip: ['4', 1] } },
  9: { class_type: 'LoadImage', inputs: { image: 'example.png' } },
};
const form = {
  fields: [
    { id: 'prompt' }, { id: 'steps', type: 'slider' as const, default: 30 }, { id: 'size', type: 'aspect_ratio' as const },
    { id: 'picture', type: 'image_loader' as const }, { id: 'model' },
  ],
};
const system = { hash: 'oo1', seed: 77, user_id: 'u' } as unknown as SystemValues;

describe('a stored ComfyUI workflow', () => {
  const faultsOf = async (data: object) =>
    ((await comfyWorkflowKind.check!({ workflow, ...data } as WorkflowData, true, undefined as never)) ?? []);
  const orderOf = (data: object, values = {}) =>
    comfyWorkflowKind.step!.payload({ form, workflow, ...data } as never, values, system, null) as unknown as ComfyOrder;

  it('may be given what its mapping alone knows', () => {
    const inputs = { 3: { steps: { value: 'rounds' } }, 6: { text: { value: 'prompt' } } };
    expect(comfyWorkflowKind.names!({ inputs } as WorkflowData)).toEqual(['rounds', 'prompt']);
  });

  describe('is refused', () => {
    it('in the format of the editor, with the way to the other', async () => {
      const edited = { nodes: [{ id: 1, type: 'KSampler' }], links: [], version: 0.4 };
      expect(await faultsOf({ workflow: edited })).toEqual([
        { field: 'workflow', message: expect.stringContaining('Workflow > Export (API)') },
      ]);
    });

    it('when it is empty, or has what is no node', async () => {
      expect(await faultsOf({ workflow: {} })).toEqual([{ field: 'workflow', message: expect.stringContaining('is empty') }]);
      const odd = { 1: 'str', 2: { class_type: 'A' }, 3: { class_type: 7, inputs: {} }, a: null };
      expect((await faultsOf({ workflow: odd })).map(({ field }) => field)).toEqual([
        'workflow.1', 'workflow.2.inputs', 'workflow.3.class_type', 'workflow.a',
      ]);
    });

    it('with more nodes, classes or folders of models than servers are asked for', async () => {
      const many = (length: number, name: (index: number) => string) =>
        Object.fromEntries(Array.from({ length }, (_, index) => [index, { class_type: name(index), inputs: {} }]));
      const messages = async (graph: object) => (await faultsOf({ workflow: graph })).map(({ message }) => message);
      expect(await messages(many(2_000, (index) => `C${index % 200}`))).toEqual([]);
      expect(await messages(many(2_001, () => 'A'))).toEqual(['has more than 2000 nodes']);
      expect(await messages(many(201, (index) => `C${index}`))).toEqual(['has nodes of more than 200 classes']);
      const { static: files } = (comfyWorkflowKind.parts['required_models'] as { properties: Record<string, object> }).properties;
      expect(files).toMatchObject({ maxProperties: 30 });
    });

    it('with mappings to nodes and inputs that are not there', async () => {
      const inputs = {
        3: { steps: { value: 'steps' }, sampler: { value: 'prompt' } }, 99: { text: { value: 'prompt' } }, constructor: {},
      };
      expect(await faultsOf({ inputs })).toEqual([
        { field: 'inputs.3.sampler', message: 'is no input of node 3 (KSampler)' },
        { field: 'inputs.99', message: 'is no node of the graph: 99' },
        { field: 'inputs.constructor', message: 'is no node of the graph: constructor' },
      ]);
    });
  });

  describe.each([
    'ComfyUI_00001_.png [output]', 'a.png [Temp] ', 'a.png [input]', 'platen/0a1b.png', './x/..\\PLATEN\\0a1b.png', '../output/a.png',
  ])('which would read %j, a file of others,', (image) => {
    const reading = { ...workflow, 9: { class_type: 'LoadImage', inputs: { image } } };

    it('is refused, whether its graph or a default says so', async () => {
      expect((await faultsOf({ workflow: reading })).map(({ field }) => field)).toEqual(['workflow.9.inputs.image']);
      const inputs = { 9: { image: { value: 'picture', default: { any: [image] } } } };
      expect((await faultsOf({ inputs })).map(({ field }) => field)).toEqual(['inputs.9.image.default']);
    });

    it('fails when the form says so, or it was stored so, with the field or the place', () => {
      const inputs = { 9: { image: { value: 'prompt' } } };
      const invalid = (place: string) => expect.objectContaining({ code: 'INVALID_PAYLOAD', message: expect.stringContaining(place) });
      expect(() => orderOf({ inputs }, { prompt: image })).toThrow(invalid('prompt must not name files'));
      expect(() => orderOf({ workflow: reading })).toThrow(invalid('workflow.9.inputs.image must'));
    });
  });

  it('may speak of folders and outputs', async () => {
    const inputs = { text: 'the platen/press, [output] of .../ years', clip: ['4', 1] };
    expect(await faultsOf({ workflow: { ...workflow, 6: { class_type: 'CLIPTextEncode', inputs } } })).toEqual([]);
  });

  it('has the values of the form in its graph, its own where there are none', () => {
    const inputs = {
      3: { steps: { value: 'steps' }, cfg: { value: 'cfg', default: 4 } }, 6: { text: { value: 'prompt' } },
    };
    const { graph, files } = orderOf({ inputs }, { steps: 12 });
    expect(graph[3]?.inputs).toEqual({ seed: 1, steps: 12, model: ['4', 0], cfg: 4 });
    expect(graph[6]?.inputs['text']).toBe('a fox');
    expect(files).toEqual([]);
    expect(workflow[3].inputs.steps).toBe(20);
  });

  it('takes system values, which a caller cannot replace, and keeps lists from being links', () => {
    const inputs = { 3: { seed: { value: 'seed' }, cfg: { value: 'size' } }, 6: { text: { value: 'user_id' } } };
    const { graph } = orderOf({ inputs }, { user_id: 'else', size: [16, 9] });
    expect(graph[3]?.inputs).toMatchObject({ seed: 77, cfg: { __value__: [16, 9] } });
    expect(graph[6]?.inputs['text']).toBe('u');
  });

  it('uploads files of ours and URLs in fields for files, no other text', () => {
    const inputs = { 9: { image: { value: 'picture' } }, 6: { text: { value: 'prompt' } } };
    const url = 'https://elsewhere.example/a.png';
    const remote = orderOf({ inputs }, { picture: url, prompt: url });
    expect(remote.files).toEqual([{ nodeId: '9', input: 'image', file: url }]);
    expect(remote.graph[6]?.inputs['text']).toBe(url);
    const handle = new AssetHandle({ id: '7', storageKey: 'k', name: 'a.png', mimeType: 'image/png', size: 1, sha256: 'f' });
    expect(orderOf({ inputs }, { picture: handle as never }).files).toEqual([{ nodeId: '9', input: 'image', file: handle }]);
    expect(orderOf({ inputs }).graph[9]?.inputs['image']).toBe('example.png');
  });

  it('fails without a value that an input needs', () => {
    const inputs = { 6: { text: { value: 'prompt', is_required: true } } };
    expect(() => orderOf({ inputs })).toThrow(expect.objectContaining({ code: 'INVALID_PAYLOAD', message: 'prompt is required' }));
  });

  it('needs its static models, and of the dynamic ones those that are chosen', () => {
    const required_models = {
      static: { checkpoints: ['a.safetensors'] },
      dynamic: { loras: ['ink.safetensors', 'oil.safetensors'], vae: ['model'] },
    };
    const inputs = { 6: { text: { value: 'prompt' } } };
    const { models } = orderOf({ inputs, required_models }, { prompt: 'oil.safetensors', model: 'v.pt' });
    expect(models).toEqual([
      { kind: 'checkpoints', name: 'a.safetensors' }, { kind: 'loras', name: 'oil.safetensors' }, { kind: 'vae', name: 'v.pt' },
    ]);
    expect(orderOf({ required_models: null }).models).toEqual([]);
  });
});
