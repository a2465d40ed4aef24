import type { NodeDefinition } from '#libs/nodes/node.js';
import { NodeRegistry } from '#libs/nodes/registry.js';
import { checkInstructionSet, lanesOf, readInstructionSet } from './check.js';
import { generateHash } from './hash.js';
import { EMPTY_INSTRUCTION_SET, type JsonObject } from './instruction-set.js';

const define = (name: string, parts: Partial<NodeDefinition> = {}): NodeDefinition => ({
  name, aliases: [], title: name, lane: 'default', payload: {}, timeLimitMs: 1_000,
  run: async () => ({ kind: 'done' }), ...parts,
});
const registry = new NodeRegistry([
  define('draw', {
    aliases: ['paint.js'],
    lane: 'chromium',
    payload: {
      type: 'object',
      required: ['code'],
      additionalProperties: false,
      properties: {
        code: { type: 'string', verbatim: true },
        width: { type: 'integer', minimum: 1, maximum: 4096, default: 1024 },
        format: { enum: ['png', 'jpeg'], default: 'png' },
        images: { type: 'array', items: { asset: true } },
      },
    },
    check: ({ code, width }) => [
      ...(String(code).includes('(') ? [{ path: 'code', message: 'does not parse' }] : []),
      ...(Number(width) > 4_000 ? [{ path: 'width', message: 'makes too many pixels' }] : []),
    ],
  }),
  define('text', { payload: { type: 'object', properties: { text: { type: 'string' } } } }),
  define('ask', { lane: 'provider' }),
]);

const set = (steps: unknown[], more: JsonObject = {}) => ({ ...structuredClone(EMPTY_INSTRUCTION_SET), steps, ...more });
const step = (nodeName: string, nodePayload: unknown, id: unknown = 'one') => ({ id, nodeName, nodePayload });
const faultsOf = (input: unknown) => checkInstructionSet(input, registry);
const fieldsOf = (input: unknown) => faultsOf(input).map(({ field }) => field);

describe('checkInstructionSet', () => {
  it('accepts a set without steps, and one whose defaults are left out', () => {
    expect(faultsOf(EMPTY_INSTRUCTION_SET)).toEqual([]);
    const { set: filled, faults } = readInstructionSet({ steps: [step('draw', { code: '1' })] }, registry);
    expect(faults).toEqual([]);
    expect(filled).toEqual({ ...EMPTY_INSTRUCTION_SET, steps: [step('draw', { code: '1' })] });
  });

  it('tells the faults of every part at once, each with its path', () => {
    const input = set(
      [
        step('draw', { code: 'f(', size: 1 }, 'a'),
        step('nothing', {}, 'b'),
        step('draw', { width: '{{w}}', format: 'gif' }, 'c'),
        step('text', { text: '{{missing}} {{$ref:nobody}}' }, 'c'),
      ],
      { variables: [{ name: 'w', type: 'pick', value_type: 'numbers', value: { values: [] } }] },
    );
    expect(fieldsOf(input).sort()).toEqual([
      'steps[0].nodePayload.size',
      'steps[1].nodeName',
      'steps[2].nodePayload.code',
      'steps[2].nodePayload.format',
      'steps[3].id',
      'steps[3].nodePayload.text',
      'variables[0].value.values',
    ]);
  });

  it('asks the node for faults beyond its schema', () => {
    expect(faultsOf(set([step('paint_JS', { code: 'f(' })]))).toEqual([
      { field: 'steps[0].nodePayload.code', message: 'does not parse' },
    ]);
  });

  it('names faults of the shape', () => {
    const input = { ...set([{ id: 'a.b', nodeName: 'draw' }, { ...step('draw', {}), nodeAlias: 'x' }]), version: 'v1', extra: 1 };
    expect(fieldsOf(input)).toEqual(
      expect.arrayContaining(['version', 'extra', 'steps[0].id', 'steps[0].nodePayload', 'steps[1].nodeAlias']),
    );
    for (const wrong of [null, [], 'set', 7]) expect(faultsOf(wrong)).toHaveLength(1);
  });

  it('refuses hashes that are none, are there twice, or are missing where they are custom', () => {
    const hash = generateHash();
    const generations = (hashes: string[]) => set([], { generations: { hashes, generations: 1, use_custom_hashes: true } });
    expect(fieldsOf(generations([hash, 'oo12', hash]))).toEqual(
      ['generations.hashes[1]', 'generations.hashes[2]'],
    );
    expect(fieldsOf(generations([]))).toEqual(['generations.hashes']);
    expect(fieldsOf(generations([hash, `0x${'a'.repeat(64)}`]))).toEqual([]);
  });

  it('lets code contain what would be references elsewhere', () => {
    expect(faultsOf(set([step('draw', { code: '`{{nobody}} {{$ref:nobody}}`' })]))).toEqual([]);
  });

  it('refuses a reference with members it does not know', () => {
    const payload = { code: '1', images: [{ $ref: 'text', pth: 'assets[0]' }, { $ref: {} }, { $ref: 'text', collection: 'x' }] };
    expect(fieldsOf(set([step('draw', payload), step('text', {}, 'text')]))).toEqual(
      expect.arrayContaining([
        'steps[0].nodePayload.images[0].pth',
        'steps[0].nodePayload.images[1].$ref',
        'steps[0].nodePayload.images[2].collection',
      ]),
    );
  });

  describe('of values that come from elsewhere', () => {
    const drawn = (width: unknown, variables: unknown) =>
      fieldsOf(set([step('draw', { code: '1', width }), step('text', {}, 'text')], { variables: variables as JsonObject }));

    it('judges those that are the same in every edition', () => {
      expect(drawn('{{w}}', { w: 512 })).toEqual([]);
      expect(drawn('{{w}}', { w: 5000 })).toEqual(['steps[0].nodePayload.width']);
      expect(drawn('{{w}}', { w: 'wide' })).toEqual(['steps[0].nodePayload.width']);
      expect(drawn('{{w}}', { w: 4001 })).toEqual(['steps[0].nodePayload.width']);
    });

    it('leaves the others to the run, and still judges all around them', () => {
      const picked = [{ name: 'w', type: 'pick', value_type: 'numbers', value: { values: [1, 2] } }];
      expect(drawn('{{w}}', picked)).toEqual([]);
      expect(drawn({ $ref: 'text', path: 'value.width' }, {})).toEqual([]);
      expect(drawn('{{$ref:text.value.width}}', {})).toEqual([]);
      const broken = set([step('draw', { code: 'f(', width: { $ref: 'text' } }), step('text', {}, 'text')]);
      expect(fieldsOf(broken)).toEqual(['steps[0].nodePayload.code']);
    });

    it('knows that a longer text stays a text', () => {
      expect(drawn('{{w}} px', { w: 1 })).toEqual(['steps[0].nodePayload.width']);
    });
  });

  it('puts the place of the set before each path, and takes names that a form will bring', () => {
    const input = set([step('text', { text: '{{subject}} {{style}}' })]);
    expect(checkInstructionSet(input, registry, { at: 'data.pipeline', variableNames: ['subject'] })).toEqual([
      { field: 'data.pipeline.steps[0].nodePayload.text', message: 'reads a variable that does not exist: "style"' },
    ]);
  });
});

describe('lanesOf', () => {
  const laneOf = (...names: string[]) =>
    lanesOf({ steps: names.map((nodeName, id) => ({ id, nodeName, nodePayload: {} })) }, registry);

  it('is the one of the rarest worker that a step needs', () => {
    expect(laneOf('text')).toBe('default');
    expect(laneOf('text', 'ask')).toBe('provider');
    expect(laneOf('ask', 'paintjs', 'text')).toBe('chromium');
  });
});
