import { NIL } from 'uuid';
import type { Database } from '#libs/database/database.js';
import { createNodes } from '#libs/nodes/index.js';
import { NodeRegistry } from '#libs/nodes/registry.js';
import { QuickJsSandbox } from '#libs/sandbox/quickjs/quickjs-sandbox.js';
import { nodeTools } from '../../test/factories/node-tools.js';
import { withOptions } from './form-options.js';
import type { FormField } from './form.js';
import { workflowKindNames } from './kinds/index.js';
import { StepWorkflows } from './step-workflows.js';
import { WorkflowCatalog } from './workflow-catalog.js';
import { WorkflowCheck } from './workflow-check.js';

const field = { id: 'subject', type: 'prompt_editor', required: true };
const slider = { id: 'width', type: 'slider', default: 256, constraints: { min: 1, max: 4096 } };
const form = { fields: [field, slider] };
const pipeline = {
  version: 'v2',
  steps: [
    { id: 'text', nodeName: 'prompt', nodePayload: { template: '{{subject}} in ink' } },
    { id: 'art', nodeName: 'p5', nodePayload: { code: 'function setup() {}', width: '{{width}}' } },
  ],
};
const test = { subject: 'a fox' };

const NOTHING_STORED = { query: async () => [] } as unknown as Database;

describe('WorkflowCheck', () => {
  const sandbox = new QuickJsSandbox();
  afterAll(() => sandbox.close());
  const registry = new NodeRegistry(createNodes(nodeTools({ scripts: sandbox })));
  const check = new WorkflowCheck(registry, sandbox, new StepWorkflows(new WorkflowCatalog(NOTHING_STORED), registry));

  const faultsOf = (data: unknown, more = {}) => check.faultsOf({ name: 'fox', type: 'pipeline', data, ...more }, { userId: NIL, role: 'user' });
  const fieldsOf = async (data: unknown, more = {}) => (await faultsOf(data, more)).map(({ field: path }) => path);

  it('accepts a pipeline whose steps read the fields of its form', async () => {
    expect(await faultsOf({ form, pipeline, test, credits: { base: 0, per_generation: 1 }, estimated_duration: 3 })).toEqual([]);
    expect(await faultsOf({ pipeline: { steps: [pipeline.steps[1]] }, form: { main: [slider] } })).toEqual(
      [],
    );
  });

  it('stores a form with a price as basic, without steps', async () => {
    expect(await fieldsOf({ form, credits: { per_generation: 1 } }, { type: 'basic' })).toEqual([]);
    expect(await fieldsOf({ form, pipeline }, { type: 'basic' })).toEqual(['data.pipeline']);
  });

  it('says which types this version takes', async () => {
    for (const type of ['nothing', 'toString', 7, undefined]) {
      expect(await faultsOf({}, { type })).toEqual([
        { field: 'type', message: `must be one of ${workflowKindNames().join(', ')}` },
      ]);
    }
  });

  it('refuses the name of a built-in node in any spelling', async () => {
    expect(await fieldsOf({ pipeline: { steps: [pipeline.steps[1]] }, form }, { name: 'P5_js' })).toEqual(
      ['name'],
    );
  });

  it('tells the faults of form, steps, sample variables and price at once', async () => {
    const data = {
      form: {
        fields: [
          field, { ...slider, default: 0 }, { id: 'width' }, { id: 'list', type: 'select' },
          { id: 'x', type: 'text', conf_file: 'styles' },
        ],
      },
      pipeline: {
        steps: [
          { id: 'a', nodeName: 'prompt', nodePayload: { template: '{{nobody}} {{$ref:b}}', model: 7 } },
          { id: 'b', nodeName: 'nothing', nodePayload: { again: { $ref: 'a' } } },
        ],
      },
      credits: { per_generation: -1 },
      inputs: {},
    };
    expect((await fieldsOf(data)).sort()).toEqual([
      'data.credits',
      'data.credits.per_generation',
      'data.form.fields[1].default',
      'data.form.fields[2].id',
      'data.form.fields[3].options',
      'data.form.fields[4].conf_file',
      'data.inputs',
      'data.pipeline.steps[0].nodePayload.model',
      'data.pipeline.steps[0].nodePayload.template',
      'data.pipeline.steps[1].nodeName',
      'data.pipeline.steps[1].nodePayload.again',
    ].sort());
  });

  it('needs steps', async () => {
    expect(await fieldsOf({ form })).toEqual(['data.pipeline']);
    expect(await fieldsOf({ pipeline: { steps: [] } })).toEqual(['data.pipeline.steps']);
    for (const data of [null, [], 'x', undefined]) expect(await fieldsOf(data)).toEqual(['data']);
  });

  it('checks the sample variables against the form', async () => {
    expect(await fieldsOf({ form, pipeline, test: { width: 5000, colour: 1 } })).toEqual([
      'data.test.subject', 'data.test.colour', 'data.test.width',
    ]);
  });

  it('refuses a form of both shapes', async () => {
    expect(await fieldsOf({ form: { fields: [], main: [] } }, { type: 'basic' })).toEqual(['data.form.main']);
  });

  describe('with a list of a thousand options', () => {
    const options = Array.from({ length: 1_000 }, (_, index) => ({ value: `value-${index}`, name: `Name ${index}` }));
    const lists = { optionsOf: async () => new Map([['styles', { options }]]) };
    const listed = new WorkflowCheck(
      registry, sandbox, new StepWorkflows(new WorkflowCatalog(NOTHING_STORED), registry), lists as never,
    );
    const faults = (fields: object[], more = {}) =>
      listed.faultsOf({ name: 'fox', type: 'basic', data: { form: { fields }, ...more } }, { userId: NIL, role: 'user' });
    const naming = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ id: `f${index}`, type: 'select', conf_file: 'styles' }));

    it('is refused when too many of its fields name it', async () => {
      expect(await faults(naming(3))).toEqual([]);
      expect(await faults(naming(200))).toEqual([{ field: 'data.form', message: expect.stringContaining('256 KiB') }]);
    });

    it('is in memory once for all fields that name it', async () => {
      const filled = withOptions({ fields: naming(2) as FormField[] }, await lists.optionsOf() as never);
      expect(filled.fields[0]?.options).toHaveLength(1_000);
      expect(filled.fields[0]?.options).toBe(filled.fields[1]?.options);
    });

    it('names twenty of them in a fault', async () => {
      const [fault] = await faults(naming(1), { test: { f0: 'nothing' } });
      expect(fault?.field).toBe('data.test.f0');
      expect(fault?.message).toMatch(/^must be one of value-0, .*value-19 and 980 more$/);
    });
  });

  describe('of a credit script', () => {
    const tried = (credits: string, more = {}) => faultsOf({ form, pipeline, credits, ...more });

    it('tries it with the defaults and the sample variables', async () => {
      expect(await tried('function computeCost(c) { return { cost: c.width / 256 * c.subject.length }; }', { test })).toEqual([]);
      const picky = 'function computeCost(c) { return { cost: c.width > 300 ? NaN : 1 }; }';
      expect(await tried(picky, { test })).toEqual([]);
      expect(await tried(picky, { test: { ...test, width: 512 } })).toMatchObject(
        [{ field: 'data.credits' }],
      );
    });

    it('refuses one that fails, gives no price, or does not end', async () => {
      const scripts = [
        'function computeCost() { throw new Error("no") }', 'const x = 1', 'function computeCost( {',
        'function computeCost() { return { cost: -1 }; }', 'function computeCost() { for (;;); }',
        'function computeCost(c) { return { cost: c.subject.length }; }',
      ];
      for (const script of scripts) expect(await tried(script)).toMatchObject([{ field: 'data.credits' }]);
    });
  });
});
