import { printable } from './terminal-text.js';

/** Columns side by side, as wide as their widest text; a row is a line, whatever is in it. */
export function printTable(head: string[], rows: string[][]): void {
  const all = [head, ...rows].map((row) => row.map((cell) => printable(cell).replaceAll(/\s/g, ' ')));
  const widths = head.map((_, column) => all.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), 0));
  printLines(all.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()));
}

export function printLines(lines: string[]): void {
  for (const line of lines) process.stdout.write(`${printable(line)}\n`);
}
