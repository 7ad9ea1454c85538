import { describe, expect, it } from '@jest/globals';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { DASHBOARDS } from './observability/dashboards.ts';
import { seriesOf } from './observability/exposition.ts';
import { metricsOf } from './observability/metrics-table.ts';
import { grafanaJson } from './observability/panels.ts';
import { mistakesOf } from './observability/promql.ts';

/** No engine and no container: what is written down twice is held together, and queries name what there is. */
const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

type Rule = {
  alert?: string;
  record?: string;
  expr: string;
  labels?: { severity?: string };
  annotations?: { summary?: string; runbook_url?: string };
};
const rules = globSync('infra/observability/prometheus/rules/*.yml', { cwd: root }).flatMap((file) =>
  (parse(read(file)) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules),
);
const alerts = rules.filter(({ alert }) => alert);
const records = rules.flatMap(({ record }) => (record ? [{ name: record, type: 'gauge', labels: [] }] : []));
const docs = read('docs/observability.md');
/** What docs/observability.md says there is, which an e2e spec compares with what there is; and what Prometheus makes. */
const series = seriesOf([...metricsOf(docs), ...records, { name: 'up', type: 'gauge', labels: [] }]);
const panels = DASHBOARDS.flatMap((dashboard) =>
  dashboard.panels.flatMap(({ title, lines }) =>
    lines.map(({ expr }) => ({ where: `${dashboard.title} / ${title}`, expr })),
  ),
);

describe('a dashboard', () => {
  it.each(DASHBOARDS.map((dashboard) => [dashboard.uid, dashboard] as const))(
    '%s is in its file as its code says (UPDATE_DASHBOARDS=1 writes it anew)',
    (uid, dashboard) => {
      const folder = 'infra/observability/grafana/dashboards';
      const text = `${JSON.stringify(grafanaJson(dashboard), null, 2)}\n`;
      if (process.env['UPDATE_DASHBOARDS']) {
        mkdirSync(join(root, folder), { recursive: true });
        writeFileSync(join(root, folder, `${uid}.json`), text);
      }
      expect(read(`${folder}/${uid}.json`)).toBe(text);
    },
  );

  it('is not in a file that no code makes', () => {
    const files = globSync('infra/observability/grafana/dashboards/*', { cwd: root });
    expect(files.map((file) => file.replace(/.*\/|\.json$/g, '')).sort()).toEqual(
      DASHBOARDS.map(({ uid }) => uid).sort(),
    );
  });

  it('has only panels that say what they show', () => {
    const mute = DASHBOARDS.flatMap(({ panels: all }) => all).filter(
      ({ says, lines }) => !says || !lines.length,
    );
    expect(mute).toEqual([]);
  });
});

describe('a query', () => {
  it.each([
    ...panels.map(({ where, expr }) => [where, expr]),
    ...rules.map((rule) => [rule.alert ?? rule.record!, rule.expr]),
  ])('of %s parses and names only metrics and labels that there are', (_, expr) =>
    expect(mistakesOf(expr!, series)).toEqual([]),
  );

  it('draws and alerts on most of what there is', () => {
    const named = [...panels, ...rules].map(({ expr }) => expr).join(' ');
    const unseen = metricsOf(docs).filter(({ name }) => !named.includes(name));
    expect(unseen.map(({ name }) => name)).toEqual([
      'target_info',
      'resilience_attempts_total',
      'resilience_hedges_total',
      'resilience_fallbacks_total',
      'resilience_listener_errors_total',
      'nodejs_eventloop_delay_mean_seconds',
      'nodejs_eventloop_delay_max_seconds',
      'nodejs_eventloop_delay_p50_seconds',
      'nodejs_eventloop_delay_p90_seconds',
      'telemetry_scrape_failures_total',
      'otel_sdk_processor_span_queue_size',
      'otel_sdk_processor_span_queue_capacity',
    ]);
  });
});

describe('an alert', () => {
  it.each(alerts.map((rule) => [rule.alert!, rule] as const))(
    '%s has a severity, a summary, a runbook that exists, and a test',
    (alert, { labels, annotations }) => {
      expect(['page', 'ticket']).toContain(labels?.severity);
      expect(annotations?.summary).toMatch(/^\S.{20,}/);
      expect(annotations?.runbook_url).toBe(`docs/observability.md#${alert.toLowerCase()}`);
      expect(docs).toContain(`\n### ${alert}\n`);
      expect(read('infra/observability/prometheus/rules.test.yml')).toContain(`alertname: ${alert}\n`);
    },
  );

  it('has every runbook', () => {
    const runbooks = docs.slice(docs.indexOf('## Runbooks')).matchAll(/^### (\w+)$/gm);
    expect([...runbooks].map(([, name]) => name).sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  });

  it('is the one that a panel promises', () => {
    const promised = DASHBOARDS.flatMap(({ panels: all }) => all).flatMap(
      ({ says }) => /\(alerts? (\w+)/.exec(says)?.[1] ?? [],
    );
    expect(promised.length).toBeGreaterThan(5);
    for (const name of promised) expect(alerts.map(({ alert }) => alert).join()).toContain(name);
  });
});
