import fc from 'fast-check';

/** JSON as text that `JSON.stringify` would never write. */
class Raw {
  constructor(readonly text: string) {}
}

const nested = (depth: number, open: string, close: string): string =>
  `${open.repeat(depth)}0${close.repeat(depth)}`;

/** Each is legal JSON and breaks something further in: text, numbers, parsers, prototypes, stacks. */
const RAW = [
  '"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"x\\udc00"', '1e400', '-1e400', '1e-400', '-0',
  '9007199254740993', '123456789012345678901234567890', '{"__proto__": {"admin": true}}',
  '{"constructor": {"prototype": {"x": 1}}}', '{"a": 1, "a": "two"}', '{"\\u0000": 1}', '{"\\ud800": 1}',
  '{"toString": 1, "hasOwnProperty": 2}', '{"$ref": "1"}', '{"$ref": {"$ref": []}}', '"{{variables}}{{$ref:1}}"', '"{{"',
  nested(65, '[', ']'), nested(100, '{"a":', '}'),
].map((text) => new Raw(text));
/** Legal as well, and more of it than anyone needs. */
const HUGE = [
  nested(10_000, '[', ']'), nested(10_000, '{"a":', '}'), nested(100_000, '[', ']'),
  nested(100_000, '{"a":', '}'), `[${'0,'.repeat(30_000)}0]`, `"${'x'.repeat(300_000)}"`,
  `{${Array.from({ length: 5_000 }, (_, i) => `"k${i}": 1`).join()}}`,
].map((text) => new Raw(text));

const PLAIN: unknown[] = [
  null, true, false, 0, -1, 0.5, 1e9, '', ' ', 'null', '0', '💩', '\u202e', '../../etc/passwd',
  "'; drop table job; --", '%00', 'javascript:alert(1)', 'http://', 'http://[::1]:0/', '2027-02-30',
  '-271821-04-20T00:00:00Z', '0000-01-01', [], [[]], {}, { length: -1 }, { id: 1 }, ['a', 'a'], '0193fd6c-0000-7000-8000-000000000001', 'x'.repeat(2_000),
];

const hostile = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...RAW) },
  { weight: 1, arbitrary: fc.constantFrom(...HUGE) },
  { weight: 12, arbitrary: fc.constantFrom(...PLAIN) },
  { weight: 9, arbitrary: fc.jsonValue({ maxDepth: 4, noUnicodeString: false }) },
  { weight: 3, arbitrary: fc.string({ unit: 'binary' }) },
);

/** A request's body, as text: a sound one with some of its values replaced, added or gone, or anything. */
export const hostileBody = (sound: object): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 5, arbitrary: mutated(sound).map(write) },
    { weight: 1, arbitrary: hostile.map(write) },
    { weight: 1, arbitrary: fc.tuple(fc.string(), fc.nat(10)).map((by) => spoil(write(sound), ...by)) },
  );

/** The body with each of its values, one after another, replaced by null: what checks most often forget. */
export const bodiesWithNull = (sound: object): string[] => [
  'null',
  ...placesIn(sound).map((path) => {
    const body = structuredClone(sound);
    put(body, path, null);
    return write(body);
  }),
];

type Path = Array<string | number>;

function mutated(sound: object): fc.Arbitrary<unknown> {
  // Where there is nothing to change, something is added.
  const places = [...placesIn(sound), ['more']];
  const change = fc.oneof(
    fc.record({ at: fc.constantFrom(...places), to: hostile }),
    fc.record({ at: fc.constantFrom(...places), to: fc.constant(undefined) }),
    fc.record({ at: fc.constantFrom<Path>(...places.map((path) => [...path, 'more'])), to: hostile }),
    fc.record({ at: fc.string({ unit: 'binary' }).map((name): Path => [name]), to: hostile }),
  );
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    const body = structuredClone(sound);
    for (const { at, to } of changes) put(body, at, to);
    return body;
  });
}

function placesIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const below = Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...path, key]));
  return path.length > 0 ? [path, ...below] : below;
}

/** Where the path leads nowhere any more, or to what is frozen, nothing is put. */
function put(body: object, path: Path, value: unknown): void {
  const into = (at: unknown, key: string | number) => (isContainer(at) ? at[key] : undefined);
  const parent = path.slice(0, -1).reduce<unknown>(into, body);
  const last = path.at(-1)!;
  if (!isContainer(parent)) return;
  if (value === undefined) Reflect.deleteProperty(parent, last);
  else Reflect.defineProperty(parent, last, { value, enumerable: true, configurable: true, writable: true });
}

const isContainer = (value: unknown): value is Record<string | number, unknown> =>
  typeof value === 'object' && value !== null && !(value instanceof Raw);

/** Deeper than the guard lets pass, and no deeper: a part that was put into itself has no end. */
const MAX_DEPTH = 200;

/** JSON text, with what is raw put in as it stands. */
function write(value: unknown, depth = 0): string {
  if (value instanceof Raw) return value.text;
  if (!isContainer(value) || depth > MAX_DEPTH) return JSON.stringify(isContainer(value) ? null : value) ?? 'null';
  const below = (part: unknown) => write(part, depth + 1);
  if (Array.isArray(value)) return `[${value.map(below).join()}]`;
  return `{${Object.entries(value).map(([key, part]) => `${JSON.stringify(key)}:${below(part)}`).join()}}`;
}

const spoil = (text: string, by: string, at: number): string => text.slice(0, at) + by + text.slice(at);

const TEXTS = [
  '', ' ', '0', '-1', '101', '1e2', '1.5', '0x10', 'NaN', 'null', 'undefined', '[]', '{}', '%', '\\', "'",
  '"', '💩', '99999999999999999999', '0193fd6c-0000-7000-8000-000000000001', 'bytes=0-', 'bytes=-1',
  'bytes=9-1', 'bytes=0-0,2-3', 'wait=9999999999', 'wait=1', 'wait=-1', 'Bearer ', 'Bearer x', 'Bearer plt_x',
  'Basic eDp4', '*', 'W/"x"', 'x'.repeat(500), 'pending', 'private', 'a b', '../..', '2027-01-01', 'true',
];

const TIMES = [
  '2027-01-31 12:00:00+00', '2027-02-30 12:00:00+00', '9999-12-31 23:59:59.999999+15', '0000-01-01 00:00:00Z',
];

/** What may stand in a header: no line breaks, no more than a byte a character. */
export const hostileText: fc.Arbitrary<string> = fc
  .oneof(fc.constantFrom(...TEXTS), fc.string({ unit: 'grapheme-ascii', maxLength: 60 }), cursor())
  .map((text) => text.replace(/[^\x20-\x7e]/g, '?'));

const NAMES = [
  'limit', 'cursor', 'status', 'job_type', 'collection_id', 'tag', 'external_id', 'q', 'type', 'expires',
  'signature', 'access_token', '__proto__', 'constructor', 'x', 'limit[]', 'limit[x]',
];

/** A query: known and unknown names, some several times, with values that fit or do not. */
export const hostileQuery: fc.Arbitrary<string> = fc
  .array(fc.tuple(fc.constantFrom(...NAMES), hostileValue()), { minLength: 1, maxLength: 4 })
  .map((pairs) => pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encode(value)}`).join('&'));

function hostileValue(): fc.Arbitrary<string> {
  return fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: 'binary' }), cursor());
}

/** Cursors that are ours by their form. */
function cursor(): fc.Arbitrary<string> {
  const number = fc.bigInt(0n, 10n ** 20n).map(String);
  const part = fc.oneof(fc.constantFrom(...TIMES), fc.constantFrom(...TEXTS), number, fc.uuid(), fc.jsonValue());
  const parts = fc.array(part, { maxLength: 3 });
  return parts.map((values) => Buffer.from(JSON.stringify(values)).toString('base64url'));
}

/** Lone surrogates have no encoding. */
const encode = (text: string): string => encodeURIComponent(text.replace(/\p{Cs}/gu, '\ufffd'));
