import type { StormReport } from './run-storm.js';
import { round } from './storm.js';

/** What one storm came to, in lines for a terminal. */
export function reportOf(report: StormReport): string {
  const { scenario, backend, size, seed, seconds, verdict, logs, audit } = report;
  const lines = [
    `${verdict.length === 0 ? 'KEPT  ' : 'BROKEN'} ${scenario} on ${backend}, ${size}, seed ${seed}, ${Math.round(seconds)} s`,
    `       ${report.promise}`,
    line('done', report.done),
    line('hits', report.hits),
    line('figures', Object.fromEntries(Object.entries(report.figures).map(figureOf))),
    audit
      ? `       audit    ${audit.rules} rules, ${audit.violations.length} violations in ${listed(audit.checked)}`
      : '       audit    not reached',
    ...verdict.map((reason) => `       !        ${reason}`),
    ...(logs ? [`       logs     ${logs}`] : []),
  ];
  return `${lines.filter(Boolean).join('\n')}\n`;
}

/** One row per storm, once all have passed. */
export function tableOf(reports: StormReport[]): string {
  const rows = reports.map(({ scenario, backend, seed, seconds, done, hits, audit, verdict }) => [
    scenario, backend, String(seed), `${Math.round(seconds)} s`,
    `${done['generations completed'] ?? 0} completed`,
    `${Object.values(hits).reduce((sum, count) => sum + count, 0)} hits`,
    audit ? `${audit.violations.length} violations` : 'no audit',
    verdict.length === 0 ? 'kept' : 'BROKEN',
  ]);
  const header = ['storm', 'backend', 'seed', 'time', 'successes', 'harm at points', 'AUDIT', 'promise'];
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  return [header, ...rows]
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd())
    .join('\n')
    .concat('\n');
}

const line = (name: string, values: Record<string, number | string>): string =>
  Object.keys(values).length > 0 ? `       ${name.padEnd(8)} ${listed(values)}` : '';

const listed = (values: Record<string, number | string>): string =>
  Object.entries(values).map(([name, value]) => `${name} ${value}`).join(' · ');

const figureOf = ([name, { value, unit, atMost }]: [string, StormReport['figures'][string]]) =>
  [name, `${round(value)} ${unit}${atMost === null ? '' : ` (≤ ${atMost})`}`] as const;
