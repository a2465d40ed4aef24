import { MultiBar, type SingleBar } from 'cli-progress';

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

export const shortHash = (hash: string): string => `${hash.slice(0, 6)}…${hash.slice(-4)}`;

/** One moving bar per edition in a terminal, else a line per change. */
export function showEditions(editions: Edition[], output: NodeJS.WriteStream = process.stdout): EditionBars {
  return output.isTTY ? movingBars(editions, output) : plainLines(editions, output);
}

function movingBars(editions: Edition[], output: NodeJS.WriteStream): EditionBars {
  const all = new MultiBar({
    format: FORMAT, stream: output, hideCursor: true, barsize: 32, fps: 20, forceRedraw: true,
    barCompleteChar: '━', barIncompleteChar: '─', formatValue,
  });
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
