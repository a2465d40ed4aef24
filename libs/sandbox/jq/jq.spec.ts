import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { QuickJsSandbox } from '../quickjs/quickjs-sandbox.js';

const MEGABYTE = 1024 ** 2;

describe('a jq program', () => {
  let sandbox: QuickJsSandbox;
  beforeAll(() => {
    sandbox = new QuickJsSandbox(2);
  });
  afterAll(() => sandbox.close());

  const run = async (code: string, input: unknown = null, more: JsonObject = {}) => {
    const globals = { input, ...more } as JsonObject;
    const { value } = await sandbox.run({
      code, entry: 'jq', globals, limits: { timeMs: 2_000, memoryBytes: 48 * MEGABYTE },
    });
    return value.kind === 'json' ? value.value : null;
  };

  it.each<[code: string, input: unknown, outputs: unknown[]]>([
    ['.a.b', { a: { b: 'x\n"ü' } }, ['x\n"ü']],
    ['.list[]', { list: [1, { n: null }, 'z'] }, [1, { n: null }, 'z']],
    ['empty', {}, []],
    ['[.data[] | select(.ok) | .url] | first', { data: [{ ok: false, url: 'a' }, { ok: true, url: 'b' }] }, ['b']],
    ['.a += 1 | .b = "x"', { a: 1 }, [{ a: 2, b: 'x' }]],
    ['-1', null, [-1]],
    ['"\\(.a)" | test("^\\\\d+$")', { a: 12 }, [true]],
    ['@base64d', 'aGk=', ['hi']],
    ['. # a comment', 1, [1]],
  ])('is real jq: %s', async (code, input, outputs) => {
    expect(await run(code, input)).toEqual(outputs);
  });

  it('reads its variables', async () => {
    expect(await run('(.p.q) = $value | (.r[0]) = $other', { p: {}, r: [1, 2] }, { value: { a: 1 }, other: null }))
      .toEqual([{ p: { q: { a: 1 } }, r: [null, 2] }]);
  });

  it.each([
    ['.a.', /syntax error/], ['.a | nope', /nope\/0 is not defined/], ['.a.b', /Cannot index number/],
    ['error("own words")', /^own words$/], ['halt_error', /a/], ['$secret', /\$secret is not defined/], ['.[', /syntax error/],
  ])('says what is wrong with it: %s', async (code, message) => {
    await expect(run(code, { a: 1 })).rejects.toMatchObject({ name: 'ScriptError', reason: 'error', message: expect.stringMatching(message) });
  });

  it('finds nothing of the host: no environment, no file, no module', async () => {
    expect(JSON.stringify(await run('[env, $ENV, input_filename]'))).not.toMatch(/NODE_OPTIONS|"PATH":"[^"]*bin/);
    for (const code of ['include "/etc/passwd"; .', 'import "/etc/hostname" as $x; $x', 'import "a" as a {search: "/"}; .']) {
      await expect(run(code)).rejects.toThrow(/module not found/);
    }
  });

  it.each([
    ['runs for ever', 'def f: f; f', 'time_limit'],
    ['counts for ever', '[range(1e12)] | length', /memory_limit|time_limit/],
    ['fills its memory', '[range(20) | "x" * (9000000 + .)] | length', 'memory_limit'],
    ['fills its memory by doubling', '"x" | until(false; . + .)', /memory_limit|error/],
    ['recurses without end', 'def f: 1 + f; f', /memory_limit|error|time_limit/],
    ['says more than is taken', '"x" * 26000000', /result|memory_limit|time_limit/],
    ['talks without end', 'repeat("xxxxxxxxxxxxxxxxxxxxxxxx")', /time_limit|result/],
  ])('that %s fails alone', async (_what, code, reason) => {
    const before = Date.now();
    const expected = typeof reason === 'string' ? reason : expect.stringMatching(reason);
    await expect(run(code)).rejects.toMatchObject({ name: 'ScriptError', reason: expected });
    expect(Date.now() - before).toBeLessThan(15_000);
    expect(await run('.', 'well')).toEqual(['well']);
  });
});
