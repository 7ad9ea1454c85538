/** One metric as it is scraped. `labels` are all that any of its samples has, without `le` of the buckets. */
export type Family = { name: string; type: string; help: string; labels: Set<string>; samples: Sample[] };
export type Sample = { name: string; labels: Record<string, string>; value: number };

const SAMPLE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: -?\d+)?$/;
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/gy;

/**
 * Reads Prometheus' text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/).
 *
 * @throws Error naming the line that does not fit
 */
export function readExposition(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  const family = (name: string) => {
    const known = families.get(name) ?? { name, type: 'untyped', help: '', labels: new Set(), samples: [] };
    families.set(name, known);
    return known;
  };
  for (const line of text.split('\n')) {
    const comment = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line);
    if (comment) family(comment[2]!)[comment[1] === 'TYPE' ? 'type' : 'help'] = comment[3]!;
    if (line === '' || line.startsWith('#')) continue;
    const sample = readSample(line);
    const of = families.get(sample.name.replace(/_(bucket|sum|count)$/, ''));
    const owner = of?.type === 'histogram' || of?.type === 'summary' ? of : family(sample.name);
    owner.samples.push(sample);
    for (const label of Object.keys(sample.labels)) if (label !== 'le') owner.labels.add(label);
  }
  return families;
}

function readSample(line: string): Sample {
  const [, name, inner = '', value] = SAMPLE.exec(line) ?? [];
  if (!name) throw new Error(`this is no sample: ${line}`);
  const labels: Record<string, string> = {};
  let read = 0;
  for (const [whole, label, text] of inner.matchAll(LABEL)) {
    labels[label!] = text!.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
    read += whole.length;
  }
  if (read !== inner.length) throw new Error(`these are no labels: ${line}`);
  return { name, labels, value: value === '+Inf' ? Infinity : value === '-Inf' ? -Infinity : Number(value) };
}

/** Several processes as one: the samples of all of them. */
export function merge(all: Iterable<ReadonlyMap<string, Family>>): Map<string, Family> {
  const merged = new Map<string, Family>();
  for (const families of all)
    for (const [name, { type, help, labels, samples }] of families) {
      const known = merged.get(name) ?? { name, type, help, labels: new Set(), samples: [] };
      for (const label of labels) known.labels.add(label);
      known.samples.push(...samples);
      merged.set(name, known);
    }
  return merged;
}

/** The sum of a metric's samples that have these labels. Of a histogram, that of its `_count`. */
export function sumOf(
  families: Map<string, Family>,
  metric: string,
  labels: Record<string, string> = {},
): number {
  const base = metric.replace(/_(count|sum)$/, '');
  const { samples = [] } = families.get(metric) ?? families.get(base) ?? {};
  return samples
    .filter((sample) => sample.name === metric)
    .filter((sample) => Object.entries(labels).every(([name, value]) => sample.labels[name] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

/** What Prometheus puts on every series that it scrapes, and `service` from its configuration. */
export const TARGET_LABELS = ['job', 'instance', 'service'];

/**
 * The series that a metric makes in Prometheus, each with its labels. One that is called like a label of the target gets
 * `exported_` in front (https://prometheus.io/docs/prometheus/latest/configuration/configuration/, `honor_labels`).
 */
export function seriesOf(metrics: Iterable<{ name: string; type: string; labels: Iterable<string> }>) {
  const series = new Map<string, Set<string>>();
  const add = (name: string, labels: Iterable<string>) => {
    const named = [...labels].map((label) => (TARGET_LABELS.includes(label) ? `exported_${label}` : label));
    series.set(name, new Set([...(series.get(name) ?? []), ...named]));
  };
  for (const { name, type, labels } of metrics) {
    if (type !== 'histogram') {
      add(name, labels);
      continue;
    }
    add(`${name}_bucket`, [...labels, 'le']);
    add(`${name}_sum`, labels);
    add(`${name}_count`, labels);
  }
  return series;
}
