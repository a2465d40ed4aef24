import type { BenchProcess } from '../bench-process.js';
import { figureOf, type FigureSpec } from '../figure.js';
import type { ScriptLoad, ScriptResult } from '../load/scripts.js';
import type { Sample } from '../rounds.js';
import type { Subject } from '../subject.js';

const FIGURES: FigureSpec[] = [
  {
    key: 'p50', name: 'A script of 1,000 rounds of a loop, median', unit: 'ms',
    goal: { bar: 2, moonshot: 1, better: 'lower' },
  },
  { key: 'perSecond', name: 'Scripts, two at once', unit: '1/s' },
];

/** What it costs to keep scripts in. */
export const javascript: Subject = {
  name: 'javascript',
  title: 'A script in the sandbox (QuickJS in WASM in a process of its own) against a new context of node:vm, which is no sandbox',
  async run(bench) {
    const runner = await bench.startScript('load/scripts.ts');
    const runs = bench.sized({ tiny: 20, quick: 1_000, full: 5_000 });
    const [floor = [], ours = []] = await bench.measure([
      { name: 'floor', measure: () => measure(runner, 'vm', runs) },
      { name: 'Platen', measure: () => measure(runner, 'sandbox', runs) },
    ]);
    return { figures: FIGURES.map((spec) => figureOf(spec, floor, ours)) };
  },
};

async function measure(runner: BenchProcess, how: ScriptLoad['how'], runs: number): Promise<Sample> {
  const { p50 } = await runner.ask<ScriptResult>({ how, runs, abreast: 1 });
  const { perSecond } = await runner.ask<ScriptResult>({ how, runs, abreast: 2 });
  return { p50, perSecond };
}
