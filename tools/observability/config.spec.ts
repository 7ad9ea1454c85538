import { describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { composeParts, composeServices } from '../compose/compose.reader.ts';
import { APPS } from '../local/apps.ts';
import { DASHBOARDS } from './dashboards.ts';

/** The binaries are in images that cannot be pulled everywhere: their files are held against a schema and each other. */
const root = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const yaml = (file: string): unknown => parse(read(file), { merge: true });

const parts = composeParts(root);
const compose = {
  services: composeServices(root),
  volumes: Object.assign({}, ...parts.map(({ volumes }) => volumes)) as Record<string, null>,
};
const watchers = Object.entries(compose.services).filter(([, { profiles }]) =>
  profiles?.includes('observability'),
);
const env = Object.fromEntries(
  [...read('infra/observability/observability.env').matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [
    name,
    value,
  ]),
);

const seconds = z.string().regex(/^\d+(ms|s)$/);
/** What the collector's core distribution takes, as far as it is used here; anything else is a mistake. */
const collectorSchema = z.strictObject({
  receivers: z.strictObject({
    otlp: z.strictObject({ protocols: z.strictObject({ http: z.strictObject({ endpoint: z.string() }) }) }),
  }),
  processors: z.strictObject({
    memory_limiter: z.strictObject({
      check_interval: seconds,
      limit_percentage: z.int().min(1).max(100),
      spike_limit_percentage: z.int().min(1).max(100),
    }),
    batch: z.strictObject({
      timeout: seconds,
      send_batch_size: z.int().positive(),
      send_batch_max_size: z.int().positive(),
    }),
  }),
  exporters: z.record(
    z.string().regex(/^otlp_http\/[a-z]+$/),
    z.strictObject({
      endpoint: z.url(),
      encoding: z.enum(['json', 'proto']).optional(),
      sending_queue: z.strictObject({ queue_size: z.int().positive() }),
      retry_on_failure: z.strictObject({
        initial_interval: seconds.optional(),
        max_interval: seconds.optional(),
        max_elapsed_time: seconds,
      }),
    }),
  ),
  service: z.strictObject({
    pipelines: z.strictObject({
      traces: z.strictObject({
        receivers: z.array(z.string()),
        processors: z.array(z.string()),
        exporters: z.array(z.string()),
      }),
    }),
    telemetry: z.strictObject({
      logs: z.strictObject({ level: z.string(), encoding: z.literal('json') }),
      metrics: z.strictObject({
        readers: z.tuple([
          z.strictObject({
            pull: z.strictObject({
              exporter: z.strictObject({
                prometheus: z.strictObject({ host: z.literal('0.0.0.0'), port: z.int() }),
              }),
            }),
          }),
        ]),
      }),
    }),
  }),
});

describe("the collector's configuration", () => {
  const raw = yaml('infra/observability/collector/config.yaml');
  const collector = collectorSchema.parse(raw);
  const { traces } = collector.service.pipelines;

  it('has no field that the collector does not know', () => {
    const misspelt = structuredClone(raw) as { processors: { batch: object } };
    Object.assign(misspelt.processors.batch, { send_batch_sise: 1 });
    expect(() => collectorSchema.parse(misspelt)).toThrow('send_batch_sise');
  });

  it('limits memory first and batches last, and its pipeline names all that is configured', () => {
    expect(traces).toEqual({
      receivers: Object.keys(collector.receivers),
      processors: ['memory_limiter', 'batch'],
      exporters: Object.keys(collector.exporters),
    });
    const { memory_limiter: memory, batch } = collector.processors;
    expect(memory.spike_limit_percentage).toBeLessThan(memory.limit_percentage);
    expect(batch.send_batch_max_size).toBeGreaterThanOrEqual(batch.send_batch_size);
  });

  it('listens where observability.env sends the apps', () => {
    expect(new URL(env['OTEL_EXPORTER_OTLP_ENDPOINT']!).host).toBe('collector:4318');
    expect(collector.receivers.otlp.protocols.http.endpoint).toBe('0.0.0.0:4318');
  });

  it('sends to Tempo where that listens, and JSON to the trace store of the simulators', () => {
    const tempo = z
      .object({
        distributor: z.object({
          receivers: z.object({
            otlp: z.object({ protocols: z.object({ http: z.object({ endpoint: z.string() }) }) }),
          }),
        }),
      })
      .parse(yaml('infra/observability/tempo/tempo.yaml')).distributor.receivers.otlp.protocols.http.endpoint;
    const { 'otlp_http/tempo': toTempo, 'otlp_http/simulators': toStore } = collector.exporters;
    expect(toTempo?.endpoint).toBe(`http://tempo:${tempo.split(':')[1]}`);
    expect(toStore).toMatchObject({ endpoint: 'http://simulators:14012', encoding: 'json' });
  });
});

describe("Prometheus' configuration", () => {
  const target = z.strictObject({
    targets: z.tuple([z.string()]),
    labels: z.strictObject({ service: z.string() }),
  });
  const replicas = z.strictObject({
    job_name: z.literal('cairn'),
    dns_sd_configs: z.tuple([
      z.strictObject({
        names: z.array(z.string()),
        type: z.literal('A'),
        port: z.int(),
        refresh_interval: seconds,
      }),
    ]),
    relabel_configs: z.tuple([
      z.strictObject({
        source_labels: z.tuple([z.literal('__meta_dns_name')]),
        target_label: z.literal('service'),
      }),
    ]),
  });
  const fixed = z.strictObject({ job_name: z.string(), static_configs: z.tuple([target]) });
  const { scrape_configs: jobs } = z
    .object({
      rule_files: z.tuple([z.literal('rules/*.yml')]),
      scrape_configs: z.tuple([replicas], fixed),
    })
    .parse(yaml('infra/observability/prometheus/prometheus.yml'));
  const [apps, ...others] = jobs;

  it('finds every replica of every app by its name, on its metrics port', () => {
    const [{ names, port }] = apps.dns_sd_configs;
    expect([names, port]).toEqual([[...APPS], 9464]);
    for (const app of APPS) expect(compose.services[app]?.environment?.['METRICS_PORT']).toBeUndefined();
  });

  it('scrapes the balancer and the collector where they tell', () => {
    const port = collectorSchema.parse(yaml('infra/observability/collector/config.yaml')).service.telemetry
      .metrics.readers[0].pull.exporter.prometheus.port;
    expect(others.map(({ static_configs: [{ targets, labels }] }) => [...targets, labels.service])).toEqual([
      [/bind :(8404)/.exec(read('infra/compose/edge/haproxy.cfg'))?.[1] && 'edge:8404', 'edge'],
      [`collector:${port}`, 'collector'],
    ]);
  });
});

describe("Grafana's provisioning", () => {
  const mounted = compose.services['grafana']!.volumes!;

  it('has the data source that every panel asks', () => {
    const { datasources } = z
      .object({ datasources: z.array(z.object({ uid: z.string(), type: z.string(), url: z.url() })) })
      .parse(yaml('infra/observability/grafana/provisioning/datasources/datasources.yaml'));
    expect(datasources.map(({ uid, url }) => [uid, url])).toEqual([
      ['prometheus', 'http://prometheus:9090'],
      ['tempo', 'http://tempo:3200'],
    ]);
    for (const { uid } of DASHBOARDS) {
      const asked = read(`infra/observability/grafana/dashboards/${uid}.json`).matchAll(/"uid": "(\w+)"/g);
      expect([...new Set([...asked].map(([, name]) => name))]).toContain('prometheus');
    }
  });

  it('reads the dashboards from where they are mounted, and opens one that exists', () => {
    const { providers } = z
      .object({ providers: z.tuple([z.object({ options: z.object({ path: z.string() }) })]) })
      .parse(yaml('infra/observability/grafana/provisioning/dashboards/dashboards.yaml'));
    const { path } = providers[0].options;
    expect(mounted).toContain(`./infra/observability/grafana/dashboards:${path}:ro`);
    const home = String(
      compose.services['grafana']!.environment!['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'],
    );
    expect(home.startsWith(`${path}/`)).toBe(true);
    expect(existsSync(join(root, 'infra/observability/grafana/dashboards', home.slice(path.length)))).toBe(
      true,
    );
  });
});

describe('the profile', () => {
  it('has four services, pinned, bounded, without capabilities, and open to this machine only', () => {
    expect(watchers.map(([name]) => name)).toEqual(['collector', 'tempo', 'prometheus', 'grafana']);
    for (const [, { image, ports, ...rest }] of watchers) {
      expect(image).toMatch(/:v?\d+\.\d+\.\d+$/);
      expect(ports?.every((port) => port.startsWith('127.0.0.1:1'))).toBe(true);
      expect(rest).toMatchObject({
        mem_limit: /m$/.test(rest.mem_limit!) && rest.mem_limit,
        cap_drop: ['ALL'],
        read_only: true,
      });
    }
    expect(env['COMPOSE_PROFILES']).toBe('observability');
  });

  it('mounts files that exist, read-only, and volumes that are declared', () => {
    for (const [source = '', , mode] of watchers.flatMap(([, { volumes = [] }]) =>
      volumes.map((v) => v.split(':')),
    )) {
      if (!source.startsWith('./')) expect(Object.keys(compose.volumes)).toContain(source);
      else expect([existsSync(join(root, source)), mode]).toEqual([true, 'ro']);
    }
  });

  it('is not needed: without it the apps send to the simulators', () => {
    for (const app of APPS) {
      const endpoint = compose.services[app]?.environment?.['OTEL_EXPORTER_OTLP_ENDPOINT'];
      expect(endpoint).toBe('${OTEL_EXPORTER_OTLP_ENDPOINT:-http://simulators:14012}');
    }
  });
});
