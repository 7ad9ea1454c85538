import type { Family } from './exposition.ts';

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

/** Where the table and what was scraped differ; labels that did not show up, as those of errors, may be in the table. */
export function differences(table: Metric[], scraped: ReadonlyMap<string, Family>): string[] {
  const known = new Map(table.map((metric) => [metric.name, metric]));
  return [
    ...[...scraped.values()].flatMap(({ name, type, labels }) => {
      const metric = known.get(name);
      if (!metric) return [`${name} is scraped, and not in the table`];
      return [
        ...(metric.type === type ? [] : [`${name} is a ${type}, and in the table a ${metric.type}`]),
        ...[...labels]
          .filter((label) => !metric.labels.includes(label))
          .map((label) => `${name} has the label ${label}, which is not in the table`),
      ];
    }),
    ...table
      .filter(({ name, seldom }) => !seldom && !scraped.has(name))
      .map(({ name }) => `${name} is in the table, and was not scraped`),
  ];
}
