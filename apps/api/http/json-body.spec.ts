import { AppError } from '#libs/errors/app-error.js';
import { parseJsonBody } from './json-body.js';

const read = (text: string | Buffer) => parseJsonBody(Buffer.from(text as string));

function faultsOf(text: string | Buffer): unknown {
  try {
    read(text);
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: 'VALIDATION_ERROR', status: 400 });
    return (error as AppError).details;
  }
  return [];
}

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

const names = (count: number) => Array.from({ length: count }, (_, index) => `"n${index}":1`).join();

describe(parseJsonBody.name, () => {
  it.each([
    ['null', null],
    ['"text"', 'text'],
    ['{"a":[1,{"b":"é 🖼"}]}', { a: [1, { b: 'é 🖼' }] }],
    ['{"a":1,"a":2}', { a: 2 }],
    ['{"constructor":"a word","prototype":1}', { constructor: 'a word', prototype: 1 }],
  ])('reads %s', (text, value) => {
    expect(read(text)).toEqual(value);
  });

  it('takes an empty body for none', () => {
    expect(read('')).toBeUndefined();
  });

  it('takes 64 levels and no more', () => {
    expect(faultsOf(nested(64))).toEqual([]);
    expect(faultsOf(nested(66))).toEqual([
      { field: Array(64).fill('0').join('.'), message: 'is nested deeper than 64 levels' },
    ]);
  });

  it.each([
    ['{', 'body'],
    ['{"a":NaN}', 'body'],
    [Buffer.from([0x22, 0xff, 0x22]), 'body'],
    ['"\\u0000"', 'body'],
    ['{"a":{"b":["x","\\u0000"]}}', 'a.b.1'],
    ['{"a":"\\ud800"}', 'a'],
    ['{"a":{"\\udc00":1}}', 'a'],
    ['{"price":1e400}', 'price'],
    ['{"price":-1e400}', 'price'],
    ['{"a":{"__proto__":{"admin":true}}}', 'a.__proto__'],
    ['{"constructor":{"prototype":{"admin":true}}}', 'constructor'],
  ])('refuses %s by its path', (text, field) => {
    expect(faultsOf(text)).toEqual([{ field, message: expect.any(String) }]);
  });

  it('tells all faults of a body, 20 at most', () => {
    expect(faultsOf('{"a":1e400,"b":["\\u0000"]}')).toMatchObject([{ field: 'a' }, { field: 'b.0' }]);
    expect(faultsOf(`[${Array(100).fill('1e400').join()}]`)).toHaveLength(20);
  });

  it.each([
    ['values', `[${'0,'.repeat(49_999)}0]`, 'body', 'has more than 50000 values'],
    ['fields', `{"a":{${names(10_001)}}}`, 'a', 'has more than 10000 fields'],
  ])('refuses more %s than can be checked at once', (_what, text, field, message) => {
    expect(faultsOf(text)).toEqual([{ field, message }]);
  });

  it('takes many values', () => {
    expect(faultsOf(`[${'0,'.repeat(49_998)}0]`)).toEqual([]);
    expect(faultsOf(`{${names(10_000)}}`)).toEqual([]);
  });

  it('leaves no mark on the prototype of objects', () => {
    faultsOf('{"__proto__":{"admin":true}}');
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
  });

  it.each([
    ['an array of numbers', `[${'0,'.repeat(524_000)}0]`],
    ['depth without end', nested(500_000)],
    ['many names', `{${names(90_000)}}`],
  ])('is soon done with the largest body: %s', (_what, text) => {
    const before = process.cpuUsage();
    faultsOf(text);
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(3_000);
  });
});
