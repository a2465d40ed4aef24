import { randomStream } from '#libs/instruction-set/random.js';
import { ScriptError, type ScriptRun } from '../script-sandbox.js';
import { QuickJsSandbox } from './quickjs-sandbox.js';

const HASH = 'oo123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQ';
const MIB = 1024 ** 2;

let sandbox: QuickJsSandbox;
beforeAll(() => {
  sandbox = new QuickJsSandbox();
});
afterAll(() => sandbox.close());

const run = (code: string, changes: Partial<ScriptRun> = {}) =>
  sandbox.run({
    code,
    entry: 'function_body',
    globals: { inputs: {} },
    hash: HASH,
    limits: { timeMs: 1_000, memoryBytes: 64 * MIB },
    ...changes,
  });

const valueOf = async (code: string, changes: Partial<ScriptRun> = {}) => {
  const { value } = await run(code, changes);
  return value.kind === 'json' ? value.value : value.bytes;
};

const failureOf = async (code: string, changes: Partial<ScriptRun> = {}): Promise<ScriptError> => {
  const error = await run(code, changes).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ScriptError);
  return error as ScriptError;
};

describe('what a script may be', () => {
  it.each([
    ['a function body', 'return 1 + 1', 2],
    ['a function body that awaits', 'const a = await Promise.resolve(20); return a + 1', 21],
    ['an exported value', 'export default { a: [1, "b", null] }', { a: [1, 'b', null] }],
    ['an exported function', 'const f = ({ inputs }) => inputs.n * 2;\nexport default f', 8],
    ['an exported async function', 'export default async () => (await null, "done")', 'done'],
    ['a module that awaits', 'const n = await Promise.resolve(3); export default n', 3],
    ['a body that only speaks of exports', 'return "export default 1"', 'export default 1'],
    ['nothing returned', 'inputs.n', null],
  ])('runs %s', async (_name, code, expected) => {
    await expect(valueOf(code, { globals: { inputs: { n: 4 } } })).resolves.toEqual(expected);
  });

  it('runs expressions over its names', async () => {
    const changes = { entry: 'expression', globals: { data: { status: 'ok' } } } as const;
    await expect(valueOf('data.status === "ok"', changes)).resolves.toBe(true);
  });

  it.each(['new Uint8Array([9, 1, 2, 3]).subarray(1)', 'new Uint8Array([1, 2, 3]).buffer'])(
    'returns the bytes of %s',
    async (code) => expect(valueOf(`return ${code}`)).resolves.toEqual(Buffer.from([1, 2, 3])),
  );

  it('keeps the last 100 lines of the console, also when the script fails', async () => {
    const { logs } = await run('for (let i = 0; i < 150; i++) console.log("line", i, { i })');
    expect(logs).toHaveLength(100);
    expect(logs.at(-1)).toBe('line 149 {"i":149}');
    const { logs: before } = await failureOf('console.warn("so far \\0"); throw new Error("no")');
    expect(before).toEqual(['so far \ufffd']);
  });
});

it('tells each script when it starts, not when it begins to wait', async () => {
  const alone = new QuickJsSandbox(1);
  const started: string[] = [];
  const script = (name: string): ScriptRun => ({
    code: 'for (let n = 0; n < 1e6; n++); return 1', entry: 'function_body', globals: {}, hash: HASH,
    limits: { timeMs: 5_000, memoryBytes: 64 * MIB }, onStart: () => started.push(name),
  });
  const [first, second] = [alone.run(script('first')), alone.run(script('second'))];
  expect(started).toEqual(['first']);
  await first;
  await second;
  expect(started).toEqual(['first', 'second']);
  await alone.close();
});

describe('what a script is told of its faults', () => {
  it.each([
    ['its own error, with the line', '\n\nthrow new TypeError("bad")', 'error', 'TypeError: bad (line 3)'],
    ['a fault of syntax', 'return (', 'error', /SyntaxError.*line/],
    ['a thrown text', 'throw "text"', 'error', 'text was thrown'],
    ['a promise that never settles', 'await new Promise(() => {})', 'error', /never settles/],
    ['a result that is no JSON', 'return 5n', 'result', /not JSON/],
    ['a function for a result', 'return () => 1', 'result', /not JSON/],
    ['a circle', 'const a = {}; a.a = a; return a', 'result', /circular/],
    ['a result that Postgres cannot hold', 'return { a: ["\\0"] }', 'result', /U\+0000/],
    ['half a character', 'return "\\ud800"', 'result', /surrogate/],
    ['a key that is none', 'return JSON.parse(\'{"__proto__":{"x":1}}\')', 'result', /__proto__/],
    ['a result too deep', 'let a = 1; for (let i = 0; i < 65; i++) a = [a]; return a', 'result', /64 levels/],
    ['JSON too large', 'return "x".repeat(4 * 1024 ** 2)', 'result', /larger than 4 MiB/],
    ['bytes too large', 'return new Uint8Array(16 * 1024 ** 2 + 1)', 'result', /larger than 16 MiB/],
  ])('%s', async (_name, code, reason, message) => {
    const error = await failureOf(code);
    expect(error.reason).toBe(reason);
    expect(error.message).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });
});

describe('ways out', () => {
  it.each([
    'process',
    'require',
    'module',
    'Buffer',
    'WebAssembly',
    'fetch',
    'setTimeout',
    'performance',
    'host',
    'std',
    'os',
  ])('has no %s', (name) => expect(valueOf(`return typeof globalThis.${name}`)).resolves.toBe('undefined'));

  it.each([
    'return (() => {}).constructor.constructor("return typeof process")()',
    'return console.log.constructor("return typeof process")()',
    'return Object.getPrototypeOf(async () => {}).constructor("return typeof process")()',
    'return new Function("return this")().process === undefined ? "undefined" : "process"',
    'return (0, eval)("typeof process")',
    'return random.constructor("return typeof process")()',
    'try { null.x } catch (error) { return error.constructor.constructor("return typeof process")() }',
  ])('finds no process by %s', (code) => expect(valueOf(code)).resolves.toBe('undefined'));

  it.each([
    'await import("node:fs")',
    'await import("./guest.mjs")',
    'await import("https://example.com/x.js")',
  ])('does not load: %s', async (code) =>
    expect((await failureOf(code)).message).toMatch(/could not load module/),
  );

  it('does not load a module by static import', async () => {
    const { message } = await failureOf('import fs from "fs"; export default fs');
    expect(message).toMatch(/could not load module/);
  });

  it('pollutes neither the host nor the next script', async () => {
    await run(`
      Object.prototype.polluted = Array.prototype.polluted = 1;
      JSON.stringify = () => '"forged"'; globalThis.inputs = 2; Math.random = () => 7;
      return {};
    `);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    await expect(
      valueOf('return [typeof {}.polluted, JSON.stringify(inputs), Math.random() < 1]'),
    ).resolves.toEqual(['undefined', '{}', true]);
  });
});

describe('repeatability', () => {
  const code = `return {
    chance: [Math.random(), Math.random()], own: random(), now: Date.now(), date: new Date().toString(), sin: Math.sin(1e9),
  }`;

  it('draws Math.random from the hash', async () => {
    const expected = randomStream(HASH, 'Math.random');
    await expect(valueOf('return [Math.random(), Math.random()]')).resolves.toEqual([expected(), expected()]);
    await expect(valueOf('return random()')).resolves.toBe(randomStream(HASH, 'random')());
  });

  it('gives the same for the same hash in any process, and else something else', async () => {
    const first = await valueOf(code);
    const another = new QuickJsSandbox();
    const again = await another.run({
      code,
      entry: 'function_body',
      globals: {},
      hash: HASH,
      limits: { timeMs: 1_000, memoryBytes: 64 * MIB },
    });
    await another.close();
    expect(again.value).toEqual({ kind: 'json', value: first });
    await expect(valueOf(code, { hash: `oo${'1'.repeat(49)}` })).resolves.not.toEqual(first);
  });

  it('has a clock that stands still, whichever way it is read', async () => {
    const times =
      'return [Date.now(), +new Date(), Date(), new (Object.getPrototypeOf(new Date()).constructor)().getTime()]';
    await expect(valueOf(times)).resolves.toEqual([
      1_704_067_200_000,
      1_704_067_200_000,
      'Mon Jan 01 2024 00:00:00 GMT+0000',
      1_704_067_200_000,
    ]);
  });

  it.each(['Math.random()', 'Date.now()', 'new Date()', 'Date()', 'new (new Date(0).constructor)()'])(
    'without a hash refuses %s',
    async (asked) =>
      expect((await failureOf(`return ${asked}`, { hash: undefined })).message).toMatch(
        /has no (clock|rand)/,
      ),
  );

  it('without a hash still computes with dates that it is given', () =>
    expect(valueOf('return new Date(0).toISOString()', { hash: undefined })).resolves.toBe(
      '1970-01-01T00:00:00.000Z',
    ));
});
