import type { NodeDefinition } from '#libs/nodes/node.js';
import { NodeRegistry } from '#libs/nodes/registry.js';
import { checkGraph, dependenciesOf, readySteps, sinksOf } from './graph.js';
import type { JsonObject, Step } from './instruction-set.js';

const node = {
  name: 'test', aliases: [], title: 'Test', lane: 'default', timeLimitMs: 1_000,
  payload: { properties: { code: { verbatim: true } } },
  run: async () => ({ kind: 'done' }),
} satisfies NodeDefinition;
const registry = new NodeRegistry([node]);

const step = (id: Step['id'], nodePayload: JsonObject = {}): Step => ({ id, nodeName: 'test', nodePayload });
const after = (id: Step['id'], ...needed: Array<Step['id']>) =>
  step(id, { inputs: needed.map((needs) => ({ $ref: needs })) });

describe('the graph of steps', () => {
  const diamond = [after('last', 'left', 'right'), after('left', 'first'), step('right', { t: '{{$ref:first}}' }), step('first')];

  it('knows what each step waits for, wherever the reference stands', () => {
    expect(Object.fromEntries(dependenciesOf(diamond, registry))).toEqual({
      last: ['left', 'right'], left: ['first'], right: ['first'], first: [],
    });
  });

  it('makes steps ready level by level', () => {
    const dependencies = dependenciesOf(diamond, registry);
    expect(readySteps(dependencies, new Set())).toEqual(['first']);
    expect(readySteps(dependencies, new Set(['first']))).toEqual(['left', 'right']);
    expect(readySteps(dependencies, new Set(['first', 'left']))).toEqual(['right']);
    expect(readySteps(dependencies, new Set(['first', 'left', 'right', 'last']))).toEqual([]);
  });

  it('finds the steps nobody references', () => {
    expect(sinksOf(diamond, registry)).toEqual(['last']);
    expect(sinksOf([step(1), step(2)], registry)).toEqual(['1', '2']);
  });

  it('takes references to other collections and texts in code for no edges', () => {
    const steps = [step('a', { image: { $ref: 'b', collection: 'c' }, code: '{{$ref:b}}' }), step('b')];
    expect(sinksOf(steps, registry)).toEqual(['a', 'b']);
  });
});

describe('checkGraph', () => {
  const faults = (steps: Step[]) => checkGraph(steps, registry);

  it('has nothing to say of a sound graph', () => {
    expect(faults([step('a'), after('b', 'a'), after('c', 'a', 'b')])).toEqual([]);
  });

  it('names duplicate ids, where 1 and "1" are one', () => {
    expect(faults([step(1), step('1')])).toEqual(
      [{ field: 'steps[1].id', message: 'is the id of steps[0], too' }],
    );
  });

  it('names references to nothing, bad paths and cycles at once', () => {
    const steps = [
      after('a', 'nobody'),
      step('b', { text: 'see {{$ref:a.assets[x]}}' }),
      after('c', 'd'),
      after('d', 'e'),
      after('e', 'c'),
      after('self', 'self'),
    ];
    expect(faults(steps)).toEqual([
      { field: 'steps[0].nodePayload.inputs[0]', message: 'refers to a step that does not exist: "nobody"' },
      { field: 'steps[1].nodePayload.text', message: 'has a path that cannot be read: "assets[x]"' },
      { field: 'steps[4].nodePayload.inputs[0]', message: 'closes a cycle: c → d → e → c' },
      { field: 'steps[5].nodePayload.inputs[0]', message: 'closes a cycle: self → self' },
    ]);
  });

  it('tells the cycle without the way that leads to it', () => {
    const [fault] = faults([after('way', 'a'), after('a', 'b'), after('b', 'a')]);
    expect(fault?.message).toBe('closes a cycle: a → b → a');
  });

  it('checks a thousand steps in a line without looking at each from each', () => {
    const steps = Array.from({ length: 1_000 }, (_, i) => (i === 0 ? step(0) : after(i, i - 1)));
    const started = performance.now();
    expect(faults(steps)).toEqual([]);
    expect(sinksOf(steps, registry)).toEqual(['999']);
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});
