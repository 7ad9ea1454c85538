export type Metric = { name: string; type: string; labels: string[]; seldom: boolean; meaning: string };

const ROW = /^\| *`([a-z0-9_]+)` *\| *(gauge|counter|histogram)(, seldom)? *\|([^|]*)\|([^|]*)\|$/gm;

/** The table of metrics in docs/observability.md. */
export function metricsOf(page: string): Metric[] {
  return [...page.matchAll(ROW)].map(([, name, type, seldom, labels, meaning]) => ({
    name: name!,
    type: type!,
    seldom: seldom !== undefined,
    labels: [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label!),
    meaning: meaning!.trim(),
  }));
}
