import type { Figure, Goal } from './figure.js';
import type { Spread } from './statistics.js';


/** A Markdown table of figures. Numbers are medians, in brackets the least and the greatest of all rounds. */
export function tableOf(figures: Figure[], [first, second]: [string, string] = ['floor', 'Platen']): string {
  const head = ['figure', first, second, 'ratio', 'bar', 'moonshot', ''];
  const rows = [head, head.map(() => '---'), ...figures.map(cellsOf)];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => pad(cell, widths[column] ?? 0)).join(' | '));
  return lines.map((line) => `| ${line} |`).join('\n');
}

/** Three digits that count, and no exponent. */
export function readable(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

function cellsOf({ name, unit, floor, platen, ratio, goal, verdict }: Figure): string[] {
  const label = unit ? `${name}, ${unit}` : name;
  return [label, told(floor), told(platen), told(ratio), aim(goal, 'bar'), aim(goal, 'moonshot'), verdict];
}

const told = ({ median, min, max }: Spread): string =>
  Number.isFinite(median) ? `${readable(median)} [${readable(min)}..${readable(max)}]` : '–';

function aim(goal: Goal | undefined, which: 'bar' | 'moonshot'): string {
  if (!goal) return '';
  return `${goal.better === 'higher' ? '≥' : '≤'} ${goal[which]}`;
}

const pad = (cell: string, width: number): string => (cell === '---' ? '-'.repeat(width) : cell.padEnd(width));
