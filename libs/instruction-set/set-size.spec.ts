import type { Json, Step } from './instruction-set.js';
import { sizeFault } from './set-size.js';

const steps = (...inputs: Json[]): Step[] =>
  inputs.map((input, id) => ({ id, nodeName: 'javascript', nodePayload: { code: 'return 1', inputs: { input } } }));
const many = (count: number, value: Json): Json[] => Array<Json>(count).fill(value);
const KIB = 'x'.repeat(1_024);

describe(sizeFault, () => {
  it('takes a set as large as people write them', () => {
    const data = { palette: many(200, '#aabbcc'), text: KIB };
    const set = steps(...many(500, { a: '{{palette}} {{text}}', b: { $ref: 1 }, c: many(10, 'plain') }));
    expect(sizeFault(set, data)).toBeNull();
    // Numbers cost nothing, however many.
    expect(sizeFault(steps(many(100_000, 1)), {})).toBeNull();
  });

  it.each<[what: string, ...set: Json[]]>([
    ['texts', many(20_001, 'x')],
    ['objects', many(10_001, {}), many(10_001, [])],
    ['references', many(10_001, '{{word}}')],
    ['references', 'a {{word}} '.repeat(10_001)],
    ['references', many(10_001, { $ref: 1 })],
    ['fill', many(4_100, '{{kib}}')],
    ['fill', '{{kib}}'.repeat(4_100)],
    ['fill', many(2_050, '{{kib}}'), many(2_050, 'and {{ kib }}')],
  ])('refuses one with too many of its %s, at the step with which they are', (what, ...inputs) => {
    const fault = sizeFault(steps(...inputs), { word: '', kib: KIB });
    expect(fault).toEqual({
      field: `steps[${inputs.length - 1}].nodePayload`,
      message: expect.stringMatching(new RegExp(`${what}.* more than`)),
    });
  });

  it('knows names that every object has as no variables', () => {
    expect(sizeFault(steps(many(9_000, '{{constructor}}{{__proto__}}')), {})?.message).toContain('references');
    expect(sizeFault(steps(many(4_000, '{{constructor}}')), {})).toBeNull();
  });
});
