/** Columns side by side, as wide as their widest text. */
export function printTable(head: string[], rows: string[][]): void {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  printLines(all.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()));
}

export function printLines(lines: string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}
