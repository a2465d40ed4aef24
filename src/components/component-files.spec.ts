import { faultInFiles, filesOf, workflowOf, type ComponentWorkflow } from './component-files.js';

const read = (files: Record<string, string>, folder = 'fox') => workflowOf(folder, new Map(Object.entries(files)));

describe('the files of a component', () => {
  it.each([
    [{ 'workflow.json': '{"1": {}}' }, 'comfy_workflow'],
    [{ 'api.json': '{"url": "https://a"}', 'workflow.json': '{}' }, 'fetch_api'],
    [{ 'job.json': '{"payload": {}}', 'workflow.json': '' }, 'direct_job'],
    [{ 'pipeline.json': '{"steps": []}' }, 'pipeline'],
    [{ 'form.json': '{"main": []}' }, 'basic'],
  ])('%j tell what runs: %s', (files, type) => {
    const { data, ...workflow } = read(files);
    expect(workflow).toMatchObject({ name: 'fox', type, visibility: 'private' });
    expect(Object.keys(data)).toHaveLength(1);
  });

  it.each<[string, Partial<ComponentWorkflow>]>([
    ['a graph with a script', {
      type: 'comfy_workflow', label: 'Fox', tags: ['a'], output_mime_type: 'video/mp4', visibility: 'public',
      data: {
        form: { fields: [{ id: 'a' }] }, inputs: { 3: { seed: { value: 'seed' } } }, workflow: { 3: {} },
        required_models: { static: {} }, test: { a: 'x' }, credits: 'function computeCost() { return 1 }\n', estimated_duration: 4,
      },
    }],
    ['a call with a fixed price', {
      type: 'fetch_api', data: { api: { url: 'https://a' }, body: { a: [1, null] }, inputs: [], credits: { base: 1, per_generation: 2 } },
    }],
    ['nothing but a form', { type: 'basic', output_mime_type: null, data: { form: null } }],
  ])('of %s make an equal workflow again', (_what, differs) => {
    const workflow: ComponentWorkflow = {
      name: 'fox', label: null, description: null, type: 'basic', output_mime_type: 'image/png', visibility: 'private', tags: [],
      data: {}, ...differs,
    };
    const { form, ...rest } = workflow.data;
    const again = workflowOf('another', filesOf(workflow));
    expect(again).toEqual({ ...workflow, data: form === null ? rest : workflow.data });
    expect(filesOf(again)).toEqual(filesOf(workflow));
  });

  it('say which of them cannot be read', () => {
    expect(() => read({ 'form.json': '{"fields": [}' })).toThrow(/^form\.json: is not JSON: /);
    expect(() => read({ 'component.json': '[]' })).toThrow('component.json: must be an object');
    expect(() => read({ 'form.json': '{}', 'workflow.json': '{}' })).toThrow('workflow.json: is empty');
  });

  it.each([
    ['data.form.fields[0].id', 'form.json: fields[0].id is bad'],
    ['data.inputs.3.seed', 'inputs.json: 3.seed is bad'],
    ['data.workflow', 'workflow.json: is bad'],
    ['data.credits', 'credits.js: is bad'],
    ['data.estimated_duration', 'component.json: estimated_duration is bad'],
    ['name', 'component.json: name is bad'],
  ])('are named by a fault at %s', (field, sentence) => {
    expect(faultInFiles({ field, message: 'is bad' })).toBe(sentence);
  });
});
