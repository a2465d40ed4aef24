import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { askedBy } from './promql.js';
import { root } from './sources.js';

export const read = (path: string) => readFileSync(join(root, path), 'utf8');

export interface AlertRule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; runbook: string };
}

interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: { h: number; w: number; x: number; y: number };
  targets?: Array<{ expr: string; legendFormat: string }>;
}

interface Rules {
  groups: Array<{ name: string; rules: AlertRule[] }>;
}

export const alerts = (parse(read('deploy/prometheus/alerts.yml')) as Rules).groups.flatMap(({ rules }) => rules);

export const dashboard = JSON.parse(read('deploy/grafana/dashboards/platen.json')) as { uid: string; panels: Panel[] };

/** Metrics that queries ask for, as they are called where Prometheus reads them. */
export const metricsAskedFor = (): string[] => {
  const names = queries.flatMap(({ expr }) => askedBy(expr).metrics.map(({ name }) => name));
  return [...new Set(names.map((name) => name.replace(/_(bucket|count|sum)$/, '')))].filter((name) => name !== 'up');
};

/** What is missing on a page of metrics. Whatever is measured has a line there, also before there is a sample. */
export const missingIn = (page: string, names: string[]): string[] => names.filter((name) => !page.includes(`# TYPE ${name} `));

/** Every query of dashboard and alerts, by where it stands. */
export const queries = [
  ...alerts.map(({ alert, expr }) => ({ where: alert, expr, legend: '' })),
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({ where: title, expr, legend: legendFormat })),
  ),
];
