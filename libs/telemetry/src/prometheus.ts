import type { Attributes } from '@opentelemetry/api';
import {
  DataPointType,
  type Histogram,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';

const UNITS: Record<string, string> = {
  ms: 'milliseconds',
  s: 'seconds',
  min: 'minutes',
  h: 'hours',
  d: 'days',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  '%': 'percent',
};

/**
 * Prometheus' text format 0.0.4. Names get their unit and, where they only rise, `_total`, as the specification asks
 * (https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/): the same query then works on
 * what was scraped and on what came by OTLP. The exporter of the SDK leaves the unit out.
 */
export function prometheusText({ resource, scopeMetrics }: ResourceMetrics): string {
  const families = new Map<string, { head: string; samples: string[] }>();
  for (const metric of scopeMetrics.flatMap((scope) => scope.metrics)) {
    if (metric.dataPoints.length === 0) continue;
    const name = prometheusName(metric);
    const family = families.get(name) ?? { head: headOf(name, metric), samples: [] };
    family.samples.push(...samplesOf(name, metric));
    families.set(name, family);
  }
  const target = ['# HELP target_info Target metadata', '# TYPE target_info gauge'];
  const lines = [...families.values()].flatMap(({ head, samples }) => [head, ...samples]);
  return [...target, sample('target_info', resource.attributes, 1), ...lines, ''].join('\n');
}

export function prometheusName({ descriptor, ...metric }: MetricData): string {
  let name = descriptor.name.replace(/[^a-zA-Z0-9_]+/g, '_').replace(/_{2,}/g, '_');
  const isGauge = metric.dataPointType === DataPointType.GAUGE;
  const unit = descriptor.unit === '1' && isGauge ? 'ratio' : UNITS[descriptor.unit];
  if (unit && !name.endsWith(`_${unit}`)) name += `_${unit}`;
  const rises = metric.dataPointType === DataPointType.SUM && metric.isMonotonic;
  return rises && !name.endsWith('_total') ? `${name}_total` : name;
}

function headOf(name: string, metric: MetricData): string {
  const help = metric.descriptor.description.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
  return `# HELP ${name} ${help}\n# TYPE ${name} ${typeOf(metric)}`;
}

function typeOf(metric: MetricData): string {
  if (metric.dataPointType === DataPointType.HISTOGRAM) return 'histogram';
  return metric.dataPointType === DataPointType.SUM && metric.isMonotonic ? 'counter' : 'gauge';
}

function samplesOf(name: string, metric: MetricData): string[] {
  switch (metric.dataPointType) {
    case DataPointType.HISTOGRAM:
      return metric.dataPoints.flatMap(({ attributes, value }) => bucketsOf(name, attributes, value));
    case DataPointType.EXPONENTIAL_HISTOGRAM:
      // Text format 0.0.4 has no form for it, and nothing here makes one.
      return [];
    default:
      return metric.dataPoints.map(({ attributes, value }) => sample(name, attributes, value));
  }
}

function bucketsOf(name: string, attributes: Attributes, { buckets, count, sum }: Histogram): string[] {
  let below = 0;
  const lines = buckets.counts.map((inBucket, i) => {
    below += inBucket;
    const le = buckets.boundaries[i];
    return sample(`${name}_bucket`, { ...attributes, le: le === undefined ? '+Inf' : String(le) }, below);
  });
  return [...lines, sample(`${name}_sum`, attributes, sum ?? 0), sample(`${name}_count`, attributes, count)];
}

function sample(name: string, attributes: Attributes, value: number): string {
  const labels = Object.entries(attributes).map(([key, label]) => `${labelName(key)}="${escape(label)}"`);
  return `${name}${labels.length ? `{${labels.join(',')}}` : ''} ${numberOf(value)}`;
}

const labelName = (key: string) => key.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d)/, '_');

function escape(value: unknown): string {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

function numberOf(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
