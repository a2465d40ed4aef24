import fc from 'fast-check';
import { AssetHandle, NodeError, type NodeDefinition } from '#libs/nodes/node.js';
import { NodeRegistry } from '#libs/nodes/registry.js';
import type { Json, JsonObject, Step } from './instruction-set.js';
import type { ReferencedAsset, ReferencedOutput } from './output-path.js';
import { referencesOf, resolvePayload, rewriteReferences, variablesOf } from './references.js';

const SCHEMA = {
  type: 'object',
  properties: {
    code: { type: 'string', verbatim: true },
    files: { type: 'object', verbatim: true },
    layers: { type: 'array', items: { type: 'object', properties: { shader: { verbatim: true } } } },
    source: { anyOf: [{ type: 'string', verbatim: true }, { type: 'null' }] },
    photo: { asset: true },
  },
};
const NODE = {
  name: 'test', aliases: [], title: 'Test', lane: 'default', payload: SCHEMA, timeLimitMs: 1_000,
  run: async () => ({ kind: 'done' }),
} satisfies NodeDefinition;
const registry = new NodeRegistry([NODE]);

const asset = (id: string): ReferencedAsset => ({
  id, url: `/files/${id}.png`, name: `${id}.png`, mime_type: 'image/png', size: 7, sha256: 'ab', width: 2, height: 3,
  storage_key: `generations/${id}`,
});
const outputs: Record<string, ReferencedOutput> = {
  art: { assets: [asset('1'), asset('2')], value: { palette: ['red', 'blue'], depth: 3 }, traits: [] },
  7: { assets: [], value: 'a fox', traits: [{ trait_type: 'Mood', value: 'calm' }] },
};
const uploads: Record<string, AssetHandle> = {
  77: new AssetHandle({
    id: '77', storageKey: 'uploads/77', name: 'me.png', mimeType: 'image/png', size: 9, sha256: 'cd',
  }),
};
const resolve = (payload: JsonObject, variables: JsonObject = {}): JsonObject =>
  resolvePayload(payload, { variables, output: (id) => outputs[id], asset: (name) => uploads[name], schema: SCHEMA });
const resolveText = (text: string, variables: JsonObject = {}) => resolve({ text }, variables)['text'] as unknown;
const step = (nodePayload: JsonObject, id: Step['id'] = 'me'): Step => ({ id, nodeName: 'test', nodePayload });

describe('resolvePayload', () => {
  it('gives a text that is exactly one placeholder the value with its type', () => {
    const variables = { steps: 20, on: false, nothing: null, list: [1, { a: 2 }] };
    for (const [name, value] of Object.entries(variables)) {
      expect(resolveText(`{{${name}}}`, variables)).toEqual(value);
      expect(resolveText(`{{ ${name} }}`, variables)).toEqual(value);
    }
  });

  it('gives the file that an image variable names, wherever it stands alone', () => {
    const scope = {
      variables: { mine: '77', far: 'https://example.com/a.png', made: { $ref: 'art', collection: 'c' }, lost: '78', id: '77' },
      images: new Set(['mine', 'far', 'made', 'lost']),
      output: (id: string, collection: string | null) => (collection === 'c' ? outputs[id] : undefined),
      asset: (name: string) => uploads[name] ?? (name.startsWith('https:') ? name : undefined),
      schema: SCHEMA,
    };
    expect(resolvePayload({ a: '{{mine}}', b: ['{{far}}', '{{made}}'], c: 'of {{mine}}', d: '{{id}}' }, scope)).toEqual({
      a: uploads[77], b: ['https://example.com/a.png', expect.objectContaining({ id: '1' })], c: 'of 77', d: '77',
    });
    expect(() => resolvePayload({ a: { b: '{{lost}}' } }, scope)).toThrow('a.b: there is no asset 78');
  });

  it('writes scalars as text and the rest as JSON inside a longer text', () => {
    const variables = { n: 1.5, on: true, text: 'fox', list: [1, 'a'], map: { k: null } };
    expect(resolveText('{{n}} {{on}} {{text}} {{list}} {{map}}', variables)).toBe(
      '1.5 true fox [1,"a"] {"k":null}',
    );
    expect(resolveText(' {{n}}', variables)).toBe(' 1.5');
    expect(resolveText('{{{n}}}', variables)).toBe('{1.5}');
  });

  it('takes the first asset as the primary output, else the value', () => {
    expect(resolve({ image: { $ref: 'art' } })['image']).toEqual(
      new AssetHandle({
        id: '1', storageKey: 'generations/1', name: '1.png', mimeType: 'image/png', size: 7, sha256: 'ab',
        width: 2, height: 3,
      }),
    );
    expect(resolve({ text: { $ref: 7 } })['text']).toBe('a fox');
    expect(resolveText('{{$ref:art}}')).toBeInstanceOf(AssetHandle);
    expect(resolveText('see {{$ref:art}}')).toBe('see /files/1.png');
  });

  it('follows a path, in objects and in both spellings inside a text', () => {
    expect(resolve({ url: { $ref: 'art', path: 'assets[1].url' } })['url']).toBe('/files/2.png');
    expect(resolve({ image: { $ref: 'art', path: 'assets[1]' } })['image']).toMatchObject({ id: '2' });
    expect(resolve({ images: { $ref: 'art', path: 'assets' } })['images']).toMatchObject(
      [{ id: '1' }, { id: '2' }],
    );
    expect(resolveText('{{$ref:art.assets[1].url}}')).toBe('/files/2.png');
    expect(resolveText('{{$ref:art:value.palette[0]}}, {{$ref:art.value.palette}}')).toBe(
      'red, ["red","blue"]',
    );
    expect(resolveText('{{$ref:7:traits[0].value}}')).toBe('calm');
    expect(resolveText('all: {{$ref:art.assets}}')).toBe('all: ["/files/1.png","/files/2.png"]');
  });

  it('looks into the value when a path names neither assets, value nor traits', () => {
    expect(resolveText('{{$ref:art.depth}}')).toBe(3);
  });

  it('leaves what the schema marks verbatim, at any depth', () => {
    const payload = {
      code: 'const t = `{{x}}`', files: { 'a.js': '{{$ref:art}}' }, layers: [{ shader: '{{x}}' }], source: '{{x}}',
    };
    expect(resolve(payload)).toEqual(payload);
  });

  it('names every place that refers to nothing', () => {
    const payload = {
      a: '{{missing}}', b: ['x {{$ref:nobody}}'], c: { $ref: 'art', path: 'assets[9]' }, d: '{{constructor}}',
      e: '{{$ref:art.value.constructor}}', f: '{{}}',
    };
    expect(() => resolve(payload)).toThrow(NodeError);
    const places = ['a: there is no {{missing}}', 'b[0]: ', 'c: ', 'd: ', 'e: ', 'f: '];
    for (const place of places) expect(() => resolve(payload)).toThrow(place);
  });

  it('takes the file that a text names where the schema says so, and nowhere else', () => {
    expect(resolve({ photo: '77', text: '77' })).toEqual({ photo: uploads['77'], text: '77' });
    expect(resolve({ photo: '{{mine}}' }, { mine: '77' })).toEqual({ photo: uploads['77'] });
    expect(() => resolve({ photo: '78' })).toThrow('photo: there is no asset 78');
  });

  it('asks for the collection that a reference names', () => {
    const asked: unknown[] = [];
    const output = (...reference: unknown[]) => (asked.push(reference), outputs['art']);
    const scope = { variables: {}, output, asset: () => undefined, schema: {} };
    resolvePayload({ image: { $ref: 5, collection: 'c' }, own: { $ref: 6 } }, scope);
    expect(asked).toEqual([['5', 'c'], ['6', null]]);
  });

  it('gives copies, so that a node cannot change the variables', () => {
    const variables = { list: [1] };
    (resolveText('{{list}}', variables) as number[]).push(2);
    expect(variables).toEqual({ list: [1] });
  });

  it('ends where a small payload would become a huge one, and says where', () => {
    const variables = { text: 'x'.repeat(250_000), list: Array<Json>(50_000).fill(0) };
    const often = (text: string, count: number) => ({ inputs: { a: Array<Json>(count).fill(text) } });
    expect(resolve(often('{{text}}', 100), variables)).toMatchObject({ inputs: { a: { length: 100 } } });
    for (const text of ['{{text}}', '{{list}}', 'a {{text}}', '{{list}} b']) {
      expect(() => resolve(often(text, 20_000), variables)).toThrow(
        expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE', message: expect.stringMatching(/^inputs\.a\[\d{2,3}\]: more than 32 MiB/) }),
      );
    }
  });

  it('is one pass: a value that looks like a placeholder or a reference stays', () => {
    const tricky = fc.oneof(
      fc.constantFrom('{{x}}', '{{$ref:art}}', '{{', '}}', '{{{x}}}'),
      fc.jsonValue(),
      fc.record({ $ref: fc.string() }),
    ) as fc.Arbitrary<Json>;
    fc.assert(
      fc.property(tricky, tricky, (x, y) => {
        expect(resolveText('{{x}}', { x, y })).toEqual(x);
        const asText = (value: Json) => (typeof value === 'object' && value ? JSON.stringify(value) : String(value));
        expect(resolveText('a{{x}}b{{y}}', { x, y })).toBe(`a${asText(x)}b${asText(y)}`);
      }),
    );
  });
});

describe('referencesOf and variablesOf', () => {
  it('find each with its place, and nothing in verbatim code', () => {
    const payload: JsonObject = {
      code: '{{$ref:hidden}} {{hidden}}',
      prompt: '{{subject}} like {{$ref:art.assets[0].url}} and {{$ref:text:value}}',
      inputs: [{ image: { $ref: 3, path: 'assets[0]' } }, { $ref: 'far', collection: 'c' }],
    };
    expect(referencesOf(step(payload), NODE)).toEqual([
      { stepId: 'art', path: 'assets[0].url', collection: null, at: 'prompt' },
      { stepId: 'text', path: 'value', collection: null, at: 'prompt' },
      { stepId: '3', path: 'assets[0]', collection: null, at: 'inputs[0].image' },
      { stepId: 'far', path: null, collection: 'c', at: 'inputs[1]' },
    ]);
    expect(variablesOf(step(payload), NODE)).toEqual([{ name: 'subject', at: 'prompt' }]);
  });
});

describe('rewriteReferences', () => {
  const ids = new Map([['art', 101], ['me', 102]]);

  it('gives steps new ids, keeps the old one and rewrites references, also inside texts', () => {
    const payload = {
      image: { $ref: 'art', path: 'assets[0]' },
      text: 'x {{$ref:art}} {{ $ref:art.assets[0].url }} {{art}} {{$ref:other}}',
      far: { $ref: 'art', collection: 'c' },
      code: '{{$ref:art}}',
    };
    expect(rewriteReferences([step(payload)], ids, registry)).toEqual([
      {
        id: 102, fromId: 'me', nodeName: 'test',
        nodePayload: {
          image: { $ref: 101, path: 'assets[0]' },
          text: 'x {{$ref:101}} {{$ref:101.assets[0].url}} {{art}} {{$ref:other}}',
          far: { $ref: 'art', collection: 'c' },
          code: '{{$ref:art}}',
        },
      },
    ]);
  });

  it('changes where references lead and nothing else, there and back', () => {
    const id = fc.stringMatching(/^[a-z][a-z0-9_-]{0,5}$/);
    const leaf = fc.oneof(
      fc.jsonValue({ maxDepth: 1 }).filter((value) => !JSON.stringify(value).includes('$ref')),
      id.map((name) => ({ $ref: name })),
      fc.tuple(fc.string(), id, fc.constantFrom('', '.assets[0].url', ':value', '[0]')).map(
        ([text, name, tail]) => `${text}{{$ref:${name}${tail}}}${text}`,
      ),
    ) as fc.Arbitrary<Json>;
    const payload = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(leaf, fc.array(leaf, { maxLength: 3 })));
    fc.assert(
      fc.property(payload, fc.uniqueArray(id, { maxLength: 5 }), (nodePayload, known) => {
        const forward = new Map(known.map((name, index) => [name, 1_000 + index]));
        const back = new Map<string, number>([...forward].map(([name, number]) => [String(number), name as never]));
        const original = [step(nodePayload)];
        const moved = rewriteReferences(original, forward, registry);
        const expected = referencesOf(original[0] as Step, NODE).map((reference) => ({
          ...reference, stepId: String(forward.get(reference.stepId) ?? reference.stepId),
        }));
        expect(referencesOf(moved[0] as Step, NODE)).toEqual(expected);
        expect(rewriteReferences(moved, back, registry)[0]?.nodePayload).toEqual(nodePayload);
      }),
    );
  });
});
