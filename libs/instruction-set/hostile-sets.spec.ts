import { createNodes } from '#libs/nodes/index.js';
import { NodeRegistry } from '#libs/nodes/registry.js';
import { nodeTools } from '../../test/factories/node-tools.js';
import { checkInstructionSet } from './check.js';

const registry = new NodeRegistry(createNodes(nodeTools()));
const BODY = 1024 * 1024;
/** What is quadratic takes minutes. What is linear takes up to half of it, where each of 90,000 places is looked at. */
const LIMIT_MS = 8_000;

/** As many as a request has room for. */
const fill = <Item>(item: (index: number) => Item): Item[] => {
  const items: Item[] = [];
  for (let size = 0; size < BODY; size += JSON.stringify(items.at(-1)).length + 1) items.push(item(items.length));
  return items;
};
const filledRecord = (value: unknown) => Object.fromEntries(fill((index) => [`k${index}`, value]));
const stepOf = (nodeName: string, nodePayload: unknown, id: unknown = 'one') => ({ id, nodeName, nodePayload });
const prompt = (template: unknown, id?: unknown) => stepOf('prompt', { template }, id);

/** Milliseconds of CPU, which a busy machine does not add to. */
function timeOf(work: () => void): number {
  const started = process.cpuUsage();
  work();
  const { user } = process.cpuUsage(started);
  return user / 1_000;
}

describe('a hostile set of the largest size', () => {
  const definition = { name: 'x', type: 'pick', value_type: 'strings', value: { values: ['a'] } };
  const sets: Array<[string, () => unknown]> = [
    ['steps without a sound id', () => ({ steps: fill(() => ({ id: [] })) })],
    ['as many such steps as are allowed, with unknown fields', () => ({
      steps: Array.from({ length: 1_000 }, () => ({ id: [], ...Object.fromEntries(Array(90).entries()) })),
    })],
    ['a step of unknown fields', () => ({ steps: [{ ...prompt('x'), ...filledRecord(0) }] })],
    ['unknown fields', () => filledRecord(0)],
    ['hashes that are none', () => ({ generations: { hashes: fill(() => 0) } })],
    ['too many variables', () => ({ variables: fill(() => ({})) })],
    ['variables with unsound weights', () => ({
      variables: [{ ...definition, value: { values: ['a'], weights: Array(60_000).fill('') } }],
    })],
    ['a variables node with too many', () => ({ steps: [stepOf('variables', { variables: fill(() => 0) })] })],
    ['unknown fields of a payload', () => ({ steps: [stepOf('p5', { code: '', ...filledRecord(0) })] })],
    ['unsound assets', () => ({ steps: [stepOf('p5', { code: '', assets: filledRecord('no') })] })],
    ['unsound and unknown assets', () => ({
      steps: [stepOf('p5', {
        code: '',
        assets: { ...filledRecord('no'), ...Object.fromEntries(fill((n) => [`v${n}`, '{{x}}'])) },
      })],
    })],
    ['unknown variables', () => ({ steps: [prompt(fill(() => '{{x}}').join(''))] })],
    ['unsound references', () => ({ steps: [stepOf('p5', { code: '', assets: filledRecord({ $ref: [] }) })] })],
    ['a placeholder of spaces', () => ({ steps: [prompt(`{{$ref:a${' '.repeat(BODY)}]}}`)] })],
    ['a placeholder that begins with spaces', () => ({ steps: [prompt(`{{$ref:${' '.repeat(BODY)}]}}`)] })],
    ['a variable that is filled in wherever there is room', () => ({
      variables: { x: Array(20_000).fill(1) }, steps: [stepOf('javascript', { code: '1', inputs: { a: fill(() => '{{x}}') } })],
    })],
    ['a long text that is filled in wherever there is room', () => ({
      variables: { x: 'y'.repeat(250_000) }, steps: [prompt(fill(() => '{{x}}').join(''))],
    })],
    ['steps that wait for each other', () => ({
      steps: Array.from({ length: 1_000 }, (_, id) =>
        prompt(Array.from({ length: 90 }, (__, n) => `{{$ref:${(id + n + 1) % 1_000}}}`).join(''), id)),
    })],
  ];

  it.each(sets)('is refused in no time: %s', (_, build) => {
    const set = build();
    let faults: unknown[] = [];
    expect(timeOf(() => (faults = checkInstructionSet(set, registry)))).toBeLessThan(LIMIT_MS);
    expect(faults.length).toBeGreaterThan(0);
  });

  it.each([
    ['01890a5d-ac96-774b-bcce-b302099a8057', []],
    ['urn:uuid:01890a5d-ac96-774b-bcce-b302099a8057', ['steps[0].nodePayload.template.collection']],
  ])('takes a collection as the database does: %s', (collection, fields) => {
    const faults = checkInstructionSet({ steps: [prompt({ $ref: 'a', collection })] }, registry);
    expect(faults.map(({ field }) => field)).toEqual(fields);
  });

  it('tells the first hundred faults of a shape, and how many more there are', () => {
    const faults = checkInstructionSet(Object.fromEntries(Array(150).entries()), registry);
    expect(faults).toHaveLength(101);
    expect(faults.at(-1)).toEqual({ field: '', message: 'has 50 more faults' });
  });

  it('refuses a list that is too long for its length alone', () => {
    const steps = Array.from({ length: 1_001 }, () => ({ id: [] }));
    expect(checkInstructionSet({ steps }, registry)).toEqual([
      { field: 'steps', message: 'must NOT have more than 1000 items' },
    ]);
  });
});
