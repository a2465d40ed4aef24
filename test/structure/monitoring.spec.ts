import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parse } from 'yaml';
import { HttpMetrics } from '#apps/api/ops/http-metrics.js';
import { measureConnections } from '#libs/metrics/connection-metrics.js';
import { measureDisks } from '#libs/metrics/disk-metrics.js';
import { Metrics } from '#libs/metrics/metrics.js';
import { RoadMetrics } from '#libs/metrics/road-metrics.js';
import { measureRows } from '#libs/metrics/row-metrics.js';
import { createTestDatabase } from '../setup/database.js';
import { alerts, dashboard, metricsAskedFor, queries, read } from './monitoring.js';
import { askedBy } from './promql.js';
import { root } from './sources.js';

/** What Prometheus itself adds to whatever it reads, and makes of buckets. */
const GIVEN_LABELS = ['instance', 'job', 'le'];
/** Its own metric of each process that it reads. */
const OWN_METRICS = ['up'];

/** All that API and worker measure. The names of labels are known before there is a sample. */
function everythingMeasured(): Metrics {
  const metrics = new Metrics();
  const nothing = {} as never;
  const measuring = [new RoadMetrics(metrics), new HttpMetrics(metrics, nothing)];
  measureRows(metrics, nothing, { generationTimeoutMs: 1, workflowIds: () => [] });
  measureConnections(metrics, { database: nothing, bus: nothing, queue: nothing });
  measureDisks(metrics, {});
  expect(measuring).toHaveLength(2);
  return metrics;
}

describe('queries of dashboard and alerts', () => {
  let metrics: Metrics;

  beforeAll(() => {
    metrics = everythingMeasured();
  });
  afterAll(() => metrics.close());

  const labelsOf = (name: string): string[] | undefined => {
    if (OWN_METRICS.includes(name)) return GIVEN_LABELS;
    const metric = metrics.registry.getSingleMetric(name.replace(/_(bucket|count|sum)$/, ''));
    const { labelNames } = (metric ?? {}) as unknown as { labelNames?: string[] };
    return labelNames && [...labelNames, ...GIVEN_LABELS];
  };

  it('ask for metrics that exist, by labels that they have', () => {
    expect(queries.length).toBeGreaterThan(60);
    for (const { where, expr, legend } of queries) {
      const { metrics: asked, groupings } = askedBy(expr);
      const unknown = asked.filter(({ name }) => labelsOf(name) === undefined).map(({ name }) => name);
      const known = new Set(asked.flatMap(({ name }) => labelsOf(name) ?? []));
      const wrong = asked.flatMap(({ name, labels }) => labels.filter((label) => !labelsOf(name)?.includes(label)));
      const named = [...groupings, ...[...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label)];
      expect({ where, unknown, wrong: [...wrong, ...named.filter((label) => !known.has(label))] }).toEqual({
        where, unknown: [], wrong: [],
      });
    }
  });

  it('leave none of our metrics unseen', () => {
    const shown = new Set(metricsAskedFor());
    const ours = metrics.registry.getMetricsAsArray().map(({ name }) => name).filter((name) => name.startsWith('platen_'));
    expect(ours.length).toBeGreaterThan(40);
    expect(ours.filter((name) => !shown.has(name))).toEqual([]);
  });
});

describe('the dashboard', () => {
  it('lays its panels out without a gap or an overlap', () => {
    const cells = new Map<string, number>();
    const below = Math.max(...dashboard.panels.map(({ gridPos: { y, h } }) => y + h));
    for (const { gridPos: { x, y, w, h } } of dashboard.panels) {
      for (let cell = 0; cell < w * h; cell++) {
        const place = `${x + (cell % w)},${y + Math.floor(cell / w)}`;
        cells.set(place, (cells.get(place) ?? 0) + 1);
      }
    }
    expect(cells.size).toBe(24 * below);
    expect([...cells.values()].filter((panels) => panels > 1)).toEqual([]);
  });

  it('numbers each panel once, and finds its data where Grafana is told of them', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const { providers } = parse(read('deploy/grafana/provisioning/dashboards/platen.yml')) as {
      providers: Array<{ options: { path: string } }>;
    };
    const mounts = (parse(read('docker-compose.yml'), { merge: true }) as { services: { grafana: { volumes: string[] } } })
      .services.grafana.volumes;
    expect(mounts).toContain(`./deploy/grafana/dashboards:${providers[0]?.options.path}:ro`);
  });
});

describe('the alerts', () => {
  const operations = read('docs/operations.md');
  const sections = new Map(operations.split(/^## /m).slice(1).map((text) => [text.split('\n')[0] ?? '', text]));

  it('say in a sentence what is wrong, and how urgent it is', () => {
    for (const { annotations, labels } of alerts) {
      expect(annotations.summary).toMatch(/^([A-Z]|\{\{ ).+\.$/);
      expect(['page', 'ticket']).toContain(labels.severity);
    }
  });

  it('each lead to a section that says what it means, where to look and what to do', () => {
    const names = alerts.map(({ alert }) => alert);
    expect([...sections.keys()].filter((title) => title.startsWith('Platen'))).toEqual(names);
    for (const { alert, annotations } of alerts) {
      expect(annotations.runbook).toBe(`docs/operations.md#${alert.toLowerCase()}`);
      for (const part of ['**Means.**', '**Look.**', '**Do.**']) {
        expect({ alert, part, isThere: sections.get(alert)?.includes(part) }).toEqual({ alert, part, isThere: true });
      }
    }
  });

  it('name statements that the database understands', async () => {
    const statements = [operations, read('docs/guides/scaling.md')].flatMap((text) => [...text.matchAll(/^```sql\n([\s\S]*?)^```$/gm)]);
    expect(statements.length).toBeGreaterThan(3);
    const { database, close } = await createTestDatabase();
    for (const [, sql = ''] of statements) expect(Array.isArray(await database.query(sql))).toBe(true);
    await close();
  });

  it('are each seen to fire by a test of their own', () => {
    const { tests } = parse(read('deploy/prometheus/alerts.test.yml')) as {
      tests: Array<{ alert_rule_test?: Array<{ alertname: string; exp_alerts: unknown[] }> }>;
    };
    const fired = tests.flatMap((test) => test.alert_rule_test ?? []).filter(({ exp_alerts }) => exp_alerts.length > 0);
    expect([...new Set(fired.map(({ alertname }) => alertname))].sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  });
});

/** Not on npm; Debian has it in the package `prometheus`. */
const PROMTOOL_MS = 300_000;
const promtool = spawnSync('promtool', ['--version']).status === 0;

(promtool ? describe : describe.skip)('promtool (skipped where it is not on PATH)', () => {
  it.each([
    ['check', 'config', '--syntax-only', 'prometheus.yml'],
    ['check', 'rules', 'alerts.yml'],
    ['test', 'rules', 'alerts.test.yml'],
  ])('%s %s finds no fault', (...command) => {
    const { status, stdout, stderr } = spawnSync('promtool', command, {
      cwd: join(root, 'deploy/prometheus'), encoding: 'utf8', timeout: PROMTOOL_MS,
    });
    expect({ status, said: status === 0 ? '' : `${stdout}${stderr}` }).toEqual({ status: 0, said: '' });
  }, PROMTOOL_MS);
});
