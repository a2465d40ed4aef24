import { MultiBar, SingleBar } from 'cli-progress';
import { printable } from '../terminal-text.js';

/** Shows how far each edition is. */
export interface EditionBars {
  /** `percent` never goes back, whatever order the news come in. */
  update(index: number, percent: number, state: string): void;
  stop(): void;
}

export interface Edition {
  index: number;
  hash: string;
}

const FORMAT = '  {edition}  {hash}  {bar}  {percentage} %  {state}';
const TOTAL_FORMAT = '  {value} of {total}  {bar}  {percentage} %  {summary}';
const STYLE = { hideCursor: true, barsize: 32, fps: 20, barCompleteChar: '━', barIncompleteChar: '─', formatValue };
/** Of the terminal, for what stands around the bars. */
const MARGIN_ROWS = 4;
const ENDS = ['done', 'failed', 'cancelled'];

export const shortHash = (hash: string): string => printable(`${hash.slice(0, 6)}…${hash.slice(-4)}`);

/** One moving bar per edition in a terminal, or one for all where they are too many for it; else a line per change. */
export function showEditions(editions: Edition[], output: NodeJS.WriteStream): EditionBars {
  if (!output.isTTY) return plainLines(editions, output);
  return editions.length < output.rows - MARGIN_ROWS ? movingBars(editions, output) : oneBar(editions, output);
}

function movingBars(editions: Edition[], output: NodeJS.WriteStream): EditionBars {
  const all = new MultiBar({ ...STYLE, stream: output, format: FORMAT, forceRedraw: true });
  const bars = new Map<number, SingleBar>();
  for (const { index, hash } of editions) {
    bars.set(index, all.create(100, 0, { edition: index + 1, hash: shortHash(hash), state: 'waiting' }));
  }
  const reached = new Map<number, number>();
  return {
    update: (index, percent, state) => {
      reached.set(index, Math.max(reached.get(index) ?? 0, percent));
      bars.get(index)?.update(reached.get(index) ?? 0, { state });
    },
    stop: () => all.stop(),
  };
}

/** Moves with the editions that have ended. */
function oneBar(editions: Edition[], output: NodeJS.WriteStream): EditionBars {
  const bar = new SingleBar({ ...STYLE, stream: output, format: TOTAL_FORMAT });
  const states = new Map<number, string>();
  bar.start(editions.length, 0, { summary: '' });
  return {
    update: (index, _percent, state) => {
      states.set(index, state);
      const counts = ENDS.map((end) => ({ end, count: [...states.values()].filter((one) => one === end).length }));
      const summary = counts.filter(({ count }) => count > 0).map(({ end, count }) => `${count} ${end}`).join(', ');
      bar.update(counts.reduce((sum, { count }) => sum + count, 0), { summary });
    },
    stop: () => bar.stop(),
  };
}

function formatValue(value: number, _options: unknown, type: string): string {
  return type === 'percentage' ? String(value).padStart(3) : String(value);
}

function plainLines(editions: Edition[], output: NodeJS.WriteStream): EditionBars {
  const states = new Map<number, string>();
  const hashes = new Map(editions.map(({ index, hash }) => [index, hash]));
  return {
    update: (index, percent, state) => {
      if (states.get(index) === state) return;
      states.set(index, state);
      const reached = String(Math.round(percent)).padStart(3);
      output.write(`  ${index + 1}  ${shortHash(hashes.get(index) ?? '')}  ${reached} %  ${state}\n`);
    },
    stop: () => undefined,
  };
}
