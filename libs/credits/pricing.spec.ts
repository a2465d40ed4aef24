import { AppError } from '#libs/errors/app-error.js';
import type { NodeDefinition } from '#libs/nodes/node.js';
import { NodeRegistry } from '#libs/nodes/registry.js';
import { QuickJsSandbox } from '#libs/sandbox/quickjs/quickjs-sandbox.js';
import { costBreakdown, Pricing, type PricedWorkflow } from './pricing.js';

const node = (name: string, aliases: string[] = []): NodeDefinition => ({
  name, aliases, title: name, lane: 'default', payload: {}, timeLimitMs: 1, run: async () => ({ kind: 'done' }),
});
const registry = new NodeRegistry([node('p5', ['p5.js']), node('prompt'), node('replicate')]);
const steps = (...named: Array<[string, Record<string, string>?]>) =>
  named.map(([nodeName, nodePayload = {}], id) => ({ id, nodeName, nodePayload }));
const workflow = (data: PricedWorkflow['data'], saved_by_admin = false): PricedWorkflow =>
  ({ type: 'pipeline', data, saved_by_admin });

describe('Pricing', () => {
  const sandbox = new QuickJsSandbox();
  afterAll(() => sandbox.close());
  const pricing = new Pricing(
    { NODE_PRICES: { 'P5.js': 0.25 }, MODEL_PRICES: { 'google/nano-banana': 3, 'dear/model': 3 } }, registry, sandbox,
  );
  const perGeneration = async (data: PricedWorkflow['data'], values = {}, admin = false) =>
    (await pricing.priceWorkflow(workflow(data, admin), values)).perGeneration;

  it('takes the fixed price of a workflow', async () => {
    const price = await pricing.priceWorkflow(workflow({ credits: { base: 1, per_generation: 0.00012 } }), {});
    expect(price).toEqual({ base: 1_000_000n, perGeneration: 120n });
    expect(costBreakdown(price, 3)).toEqual(
      { total_credits: 1.00036, per_generation: 0.00012, workflow_base_cost: 1 },
    );
  });

  it('asks the script with the variables, and adds no base', async () => {
    const credits = 'function computeCost(context) { return { cost: context.steps / 80 }; }';
    expect(await pricing.priceWorkflow(workflow({ credits }), { steps: 20 })).toEqual(
      { base: 0n, perGeneration: 250_000n },
    );
  });

  it('refuses a submission that the script has no price for', async () => {
    for (const result of ['NaN', '-1', '1 / 0', 'undefined', '"2"']) {
      const price = perGeneration({ credits: `function computeCost() { return { cost: ${result} }; }` });
      await expect(price).rejects.toBeInstanceOf(AppError);
      await expect(price).rejects.toMatchObject({ status: 400, details: [{ field: 'variables' }] });
    }
  });

  it('never goes below what the steps cost, unless an admin saved it', async () => {
    const pipeline = { steps: steps(['p5'], ['p5js'], ['replicate', { model: 'google/nano-banana' }]) };
    const cheap = { credits: { per_generation: 0.1 }, pipeline };
    expect(await perGeneration(cheap)).toBe(3_500_000n);
    expect(await perGeneration(cheap, {}, true)).toBe(100_000n);
    expect(await perGeneration({ ...cheap, credits: 'function computeCost() { return { cost: 0 }; }' })).toBe(
      3_500_000n,
    );
    expect(await perGeneration({ ...cheap, credits: { per_generation: 4 } })).toBe(4_000_000n);
    expect(await perGeneration({ pipeline })).toBe(3_500_000n);
    expect(await perGeneration({})).toBe(0n);
  });

  describe('of steps', () => {
    const VERSION = 'a'.repeat(64);
    const sumOf = (nodeName: string, nodePayload: Record<string, unknown> = {}, variables = {}) =>
      pricing.sumOf({ steps: [{ nodeName, nodePayload: nodePayload as never }], variables });

    it('goes by the lists: nodes at theirs, models at theirs or the default', () => {
      expect(sumOf('p5')).toBe(250_000n);
      expect(sumOf('prompt')).toBe(0n);
      expect(sumOf('prompt', { model: 'some/model' })).toBe(1_000_000n);
      expect(sumOf('replicate', { model: 'dear/model' })).toBe(3_000_000n);
    });

    it.each([
      ['a version of it', { model: `dear/model:${VERSION}` }], ['another case', { model: 'Dear/MODEL' }],
      ['a version alone, which may be its', { version: VERSION }], ['a variable', { model: '{{m}}' }],
      ['a variable inside', { model: 'dear/{{part}}' }], ['another step', { model: { $ref: 1 } }],
      ['what nobody knows yet', { version: '{{gone}}' }],
    ])('does not let a model pass for less by %s', (_what, payload) => {
      expect(sumOf('replicate', payload, { m: 'dear/model', part: 'model' })).toBe(3_000_000n);
    });
  });

  it('gives the range of a script over samples, without those it fails for', async () => {
    const credits = 'function computeCost(c) { return { cost: c.n }; }';
    expect(await pricing.priceRange(workflow({ credits }), [{ n: 4 }, { n: 1 }, {}])).toEqual({
      base: 0, per_generation: { min: 1, max: 4 },
    });
    expect(await pricing.priceRange(workflow({ credits: { base: 2, per_generation: 1 } }), [{}])).toEqual({
      base: 2, per_generation: { min: 1, max: 1 },
    });
    expect(await pricing.priceRange(workflow({ credits, pipeline: { steps: steps(['p5']) } }), [{}])).toEqual({
      base: 0, per_generation: { min: 0.25, max: 0.25 },
    });
  });
});
