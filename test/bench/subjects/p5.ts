import { resolve } from 'node:path';
import type { BenchProcess } from '../bench-process.js';
import { figureOf, type FigureSpec } from '../figure.js';
import type { SketchLoad, SketchResult } from '../load/sketches.js';
import type { Sample } from '../rounds.js';
import type { Subject } from '../subject.js';

/** Unpacked once for all programs of this folder. */
const CACHE = resolve('.platen', 'chromium');
const AGAINST_WARM: FigureSpec[] = [
  {
    key: 'perSecond', name: 'Renders, two at once, to a warm page', unit: '1/s',
    goal: { bar: 0.5, moonshot: 0.9, better: 'higher' },
  },
  { key: 'p50', name: 'One render, to a warm page', unit: 'ms' },
];
const AGAINST_NEW: FigureSpec[] = [
  {
    key: 'perSecond', name: 'Renders, two at once, to a new context', unit: '1/s',
    goal: { bar: 3, moonshot: 6, better: 'higher' },
  },
  { key: 'p50', name: 'One render, to a new context', unit: 'ms' },
];

/** What it costs to give every edition a document that no other has seen. */
export const p5: Subject = {
  name: 'p5',
  title: 'A p5 sketch of 1024 × 1024 with 5,000 shapes to PNG, against the same by hand in the same browser',
  async run(bench) {
    const runner = await bench.startScript('load/sketches.ts', { CHROMIUM_CACHE: CACHE });
    const renders = bench.sized({ tiny: 2, quick: 16, full: 60 });
    const [warm = [], fresh = [], ours = []] = await bench.measure(
      (['warm-page', 'new-context', 'platen'] as const).map((how) => ({
        name: how, measure: () => measure(runner, how, renders),
      })),
    );
    const { version } = await runner.ask<SketchResult>({ how: 'warm-page', renders: 1, abreast: 1 });
    return {
      figures: [
        ...AGAINST_WARM.map((spec) => figureOf(spec, warm, ours)),
        ...AGAINST_NEW.map((spec) => figureOf(spec, fresh, ours)),
      ],
      notes: [
        `The browser: Chromium ${version}, the one that npm installs, drawing in software.`,
        'The warm page draws one sketch after another into one document: nothing keeps them apart.',
      ],
    };
  },
};

async function measure(runner: BenchProcess, how: SketchLoad['how'], renders: number): Promise<Sample> {
  const { p50 } = await runner.ask<SketchResult>({ how, renders: Math.ceil(renders / 2), abreast: 1 });
  const { perSecond } = await runner.ask<SketchResult>({ how, renders, abreast: 2 });
  return { p50, perSecond };
}
