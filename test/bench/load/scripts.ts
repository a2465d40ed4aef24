import { performance } from 'node:perf_hooks';
import { createContext, Script } from 'node:vm';
import { QuickJsSandbox } from '#libs/sandbox/quickjs/quickjs-sandbox.js';
import { serveBench } from '../child.js';
import { percentile } from '../statistics.js';

/** Runs a script so often, each time in a scope that no other run has seen. */
export interface ScriptLoad {
  /** `vm`: a context of Node's own, which keeps nobody in. */
  how: 'sandbox' | 'vm';
  runs: number;
  /** At once. */
  abreast: number;
}

export interface ScriptResult {
  perSecond: number;
  /** Milliseconds. */
  p50: number;
}

const CODE = 'let n = 0; for (let i = 0; i < 1000; i++) n = (n + i * seed) % 1000; return n;';
const HASH = 'oo123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQ';
const sandbox = new QuickJsSandbox();

const WAYS = {
  sandbox: async () => {
    const limits = { timeMs: 5_000, memoryBytes: 64 * 1024 ** 2 };
    const { value } = await sandbox.run({ code: CODE, entry: 'function_body', globals: { seed: 7 }, hash: HASH, limits });
    if (value.kind !== 'json' || typeof value.value !== 'number') throw new Error('The script gave no number');
  },
  vm: async () => {
    const value: unknown = new Script(`(() => { ${CODE} })()`).runInContext(createContext({ seed: 7 }), { timeout: 5_000 });
    if (typeof value !== 'number') throw new Error('The script gave no number');
  },
};

serveBench('to run scripts', measureScripts);

async function measureScripts({ how, runs, abreast }: ScriptLoad): Promise<ScriptResult> {
  const times: number[] = [];
  const started = performance.now();
  const runOnAndOn = async () => {
    while (times.length < runs) {
      const before = performance.now();
      await WAYS[how]();
      times.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: abreast }, runOnAndOn));
  return { perSecond: times.length / ((performance.now() - started) / 1_000), p50: percentile(times, 0.5) };
}
