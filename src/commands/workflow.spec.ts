import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Platen } from '#libs/client/index.js';
import { FormConfigs } from '#libs/form-configs/form-configs.js';
import { startTestApi, type TestApi } from '../../test/setup/api.js';
import { applyWorkflows, getWorkflow, listWorkflows, testWorkflow } from './workflow.js';

const examples = new URL('../../examples/workflows/', import.meta.url).pathname;
const FORM = { main: [{ id: 'prompt', type: 'prompt_editor', required: true }], advanced: [{ id: 'steps', type: 'slider', default: 20 }] };
const GRAPH = { 3: { class_type: 'KSampler', inputs: { seed: 1, steps: 20 } }, 9: { class_type: 'SaveImage', inputs: { images: ['3', 0] } } };
const PIPELINE = { steps: [{ id: 1, nodeName: 'prompt', nodePayload: { template: '{{prompt}}' } }] };

const connect = (url: string, token: string) => new Platen({ url, token, patienceMs: 0 });

let api: TestApi;
let folder: string;
let client: Platen;

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'platen-components-'));
  const { authorization } = api.as(randomUUID()) as { authorization: string };
  client = connect(api.url, authorization.replace('Bearer ', ''));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A component directory of a name that nobody else has. */
function component(files: Record<string, unknown>): string {
  const path = join(folder, `fox-${randomUUID()}`);
  mkdirSync(path);
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(path, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return path;
}

async function printed(work: Promise<void>): Promise<string> {
  const written = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await work;
    return written.mock.calls.map(([text]) => String(text)).join('');
  } finally {
    written.mockRestore();
  }
}
const apply = async (...paths: string[]) => JSON.parse(await printed(applyWorkflows(client, paths, { json: true })));
const refusal = (path: string) => apply(path).then(() => 'applied', (error: Error) => error.message.replace(/^.*\//, ''));

const textsIn = (path: string) =>
  Object.fromEntries(readdirSync(path).sort().map((name) => {
    const text = readFileSync(join(path, name), 'utf8');
    return [name, name.endsWith('.json') ? JSON.parse(text) : text];
  }));

describe('platen workflow', () => {
  it('stores directories, saves what changed, and makes no version of what did not', async () => {
    const path = component({ 'form.json': FORM, 'pipeline.json': PIPELINE, 'credits.js': 'function computeCost() { console.log(1); return { cost: 0.25 } }' });
    expect(await apply(path)).toMatchObject([{ version: 1, result: 'created' }]);
    expect(await apply(path)).toMatchObject([{ version: 1, result: 'unchanged' }]);
    writeFileSync(join(path, 'test.json'), '{ "prompt": "a fox" }');
    expect(await apply(path)).toMatchObject([{ version: 2, result: 'saved' }]);
  });

  it.each(readdirSync(examples).filter((name) => !name.endsWith('.ts')))('gives the example %s back as it was', async (name) => {
    const [from, to] = [join(folder, 'from', name), join(folder, 'to')];
    cpSync(join(examples, name), from, { recursive: true });
    const about = JSON.parse(readFileSync(join(from, 'component.json'), 'utf8'));
    writeFileSync(join(from, 'component.json'), JSON.stringify({ ...about, name: `${name} ${randomUUID()}` }));
    const [stored] = await apply(from);
    await printed(getWorkflow(client, stored.name, to, {}));
    const again = textsIn(to);
    for (const [file, content] of Object.entries(textsIn(from))) {
      if (file !== 'component.json') expect([file, again[file]]).toEqual([file, content]);
    }
    expect(again['component.json']).toMatchObject(JSON.parse(readFileSync(join(from, 'component.json'), 'utf8')));
    expect(await apply(to)).toMatchObject([{ result: 'unchanged' }]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['a graph', { 'form.json': FORM, 'workflow.json': GRAPH, 'inputs.json': { 3: { seed: { value: 'seed' }, steps: { value: 'steps', default: 20 } } } }, 'applied'],
    ['an empty graph', { 'form.json': FORM, 'workflow.json': {} }, 'workflow.json: is empty'],
    ['a graph cut off', { 'workflow.json': '{"3": {' }, 'workflow.json: is not JSON'],
    ['a mapping to a node that is gone', { 'form.json': FORM, 'workflow.json': GRAPH, 'inputs.json': { 4: { seed: { value: 'seed' } } } }, 'inputs.json: 4'],
    ['a field without an id', { 'form.json': { fields: [{ name: 'x' }] }, 'pipeline.json': PIPELINE }, 'form.json: fields[0].id'],
    ['a script that fails', { 'form.json': FORM, 'pipeline.json': PIPELINE, 'credits.js': 'function computeCost() { return { cost: -1 } }' }, 'credits.js: '],
  ])('takes the older form, and says of %s which file and path is at fault', async (_what, files, outcome) => {
    expect(await refusal(component(files))).toContain(outcome);
  });

  it('keeps options that come from a list of their own out of its files', async () => {
    const name = `inks ${randomUUID()}`;
    await new FormConfigs(api.database).create(api.database, { name, options: [{ value: 'ink' }] });
    const form = { fields: [{ id: 'style', type: 'select', conf_file: name }] };
    const path = component({ 'form.json': form, 'component.json': { type: 'basic' } });
    const [{ name: stored }] = await apply(path);
    expect(await apply(path)).toMatchObject([{ version: 1, result: 'unchanged' }]);
    await printed(getWorkflow(client, stored, join(folder, 'again'), {}));
    expect(textsIn(join(folder, 'again'))['form.json']).toEqual(form);
  });

  it('lists, as a table and as JSON', async () => {
    const path = component({ 'component.json': { tags: ['ink'], credits: { base: 1, per_generation: 0.5 } }, 'form.json': FORM, 'pipeline.json': PIPELINE });
    const [{ name }] = await apply(path);
    expect(await printed(listWorkflows(client, { tag: 'ink' }))).toMatch(new RegExp(`${name} +pipeline +1 \\+ 0.5 +ink`));
    expect(JSON.parse(await printed(listWorkflows(client, { tag: 'ink', json: true })))).toMatchObject([{ name }]);
  });

  it("does not pass another's form off as the whole", async () => {
    const [{ name }] = await apply(component({ 'component.json': { visibility: 'public' }, 'form.json': FORM, 'pipeline.json': PIPELINE }));
    const { authorization } = api.as(randomUUID()) as { authorization: string };
    const stranger = connect(api.url, authorization.replace('Bearer ', ''));
    await expect(getWorkflow(stranger, name, folder, {})).rejects.toThrow("is another's: only its form is open");
  });

  it('says what is missing', async () => {
    await expect(applyWorkflows(client, [folder], {})).rejects.toThrow('no form.json or other file of a workflow');
    await expect(applyWorkflows(client, ['/nowhere'], {})).rejects.toThrow('/nowhere is not a directory');
    await expect(getWorkflow(client, 'nobody has this', folder, {})).rejects.toThrow('There is no workflow "nobody has this"');
    await expect(testWorkflow(client, 'nobody has this', {})).rejects.toThrow('There is no workflow');
    await expect(listWorkflows(connect('http://127.0.0.1:9', 'x'), {})).rejects.toThrow('http://127.0.0.1:9 does not answer');
    const path = component({ 'form.json': FORM });
    await expect(applyWorkflows(connect(api.url, 'nonsense'), [path], {})).rejects.toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
  });
});
