import { spawn } from 'node:child_process';
import { QuickJsSandbox } from '#libs/sandbox/quickjs/quickjs-sandbox.js';
import { computeCost, CreditScriptError } from './credit-script.js';

const sandbox = new QuickJsSandbox(1);
afterAll(() => sandbox.close());

const priceOf = (source: string, context = {}) => computeCost(sandbox, source, context);
const returning = (result: string) => `function computeCost(context) { return ${result} }`;

describe(computeCost, () => {
  it('gives the cost and the details that the script computes from its context', async () => {
    const source = returning('{ cost: context.steps * 0.25, details: { steps: context.steps } }');
    await expect(priceOf(source, { steps: 3 })).resolves.toEqual({ cost: 0.75, details: { steps: 3 } });
  });

  it.each([
    ['a constant function', 'const computeCost = ({ n }) => ({ cost: n });'],
    ['an async function', 'async function computeCost({ n }) { return { cost: n } }'],
    ['a function that logs', 'function computeCost({ n }) { console.log(n); return { cost: n } }'],
  ])('takes %s', (_name, source) =>
    expect(priceOf(source, { n: 0.00012 })).resolves.toEqual({ cost: 0.00012 }),
  );

  it.each([
    ['negative', returning('{ cost: -1 }'), /negative/],
    ['NaN', returning('{ cost: NaN }'), /finite number/],
    ['infinite', returning('{ cost: 1 / 0 }'), /finite number/],
    ['missing', returning('{}'), /finite number/],
    ['nothing at all', returning('undefined'), /finite number/],
    ['a text', returning('{ cost: "1" }'), /finite number/],
    ['a bare number', returning('1'), /finite number/],
    ['bytes', returning('new Uint8Array(1)'), /finite number/],
    ['beyond measure', returning('{ cost: 1e300 }'), /above/],
    ['not defined', 'const other = 1', /does not define/],
    ['broken', 'function computeCost( {', /SyntaxError/],
    ['thrown', returning('context.a.b'), /TypeError/],
    ['random', returning('{ cost: Math.random() }'), /no randomness/],
    ['of the hour', returning('{ cost: Date.now() }'), /no clock/],
    ['never ready', 'function computeCost() { for (;;); }', /longer than 50 ms/],
    ['too large to compute', returning('{ cost: new Array(1e7).fill(1).length }'), /memory|longer than/],
  ])('refuses a cost that is %s', async (_name, source, message) => {
    const error = await priceOf(source).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(CreditScriptError);
    expect((error as Error).message).toMatch(message);
  });

  it('refuses no good script on a busy machine', async () => {
    const busy = Array.from({ length: 3 }, () => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
    try {
      const source = 'function computeCost() { let n = 0; while (n < 1e5) n++; return { cost: n } }';
      for (let i = 0; i < 10; i++) await expect(priceOf(source)).resolves.toEqual({ cost: 1e5 });
    } finally {
      busy.forEach((each) => each.kill('SIGKILL'));
    }
  }, 60_000);

  it('says that the service is unavailable when there is no sandbox', async () => {
    const closed = new QuickJsSandbox(1);
    await closed.close();
    await expect(computeCost(closed, returning('{ cost: 1 }'), {})).rejects.toMatchObject({ status: 503 });
  });
});
