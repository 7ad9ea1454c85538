import { parser } from '@prometheus-io/lezer-promql';
import type { SyntaxNode } from '@lezer/common';
import { TARGET_LABELS } from './exposition.ts';

export type Selector = { metric: string; labels: string[] };
export type Query = {
  /** What does not parse, each as the text at that place. */
  errors: string[];
  selectors: Selector[];
  /** Labels of `by`, `without`, `on`, `ignoring`, `group_left` and `group_right`. */
  grouping: string[];
};

/** Series by name, each with the labels that it may have. */
export type Series = ReadonlyMap<string, ReadonlySet<string>>;

/** Reads a PromQL expression; Grafana's own variables are filled in first. */
export function readQuery(expression: string): Query {
  const text = withoutVariables(expression);
  const query: Query = { errors: [], selectors: [], grouping: [] };
  const at = (node: SyntaxNode) => text.slice(node.from, node.to);
  parser.parse(text).iterate({
    enter: ({ node, type }) => {
      if (type.isError)
        query.errors.push(`at ${node.from}: …${text.slice(Math.max(0, node.from - 10), node.to + 10)}…`);
      if (type.name === 'GroupingLabels') query.grouping.push(...node.getChildren('LabelName').map(at));
      if (type.name === 'VectorSelector') query.selectors.push(selectorOf(node, at));
    },
  });
  return query;
}

function selectorOf(node: SyntaxNode, at: (node: SyntaxNode) => string): Selector {
  const labels = (node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []).map((matcher) =>
    at(matcher.getChild('LabelName')!),
  );
  const name = node.getChild('Identifier');
  return { metric: name ? at(name) : '', labels };
}

/** Durations and ranges that only the page knows; a variable inside of quotes is text as it is. */
const withoutVariables = (expression: string) =>
  expression.replace(/\$__(rate_interval|interval|range)\b/g, '5m');

/** What is wrong with an expression, given the series that there are: nothing, if all is well. */
export function mistakesOf(expression: string, series: Series): string[] {
  const { errors, selectors, grouping } = readQuery(expression);
  if (errors.length > 0) return errors.map((error) => `does not parse ${error}`);
  const mistakes: string[] = [];
  if (selectors.length === 0) mistakes.push('names no metric');
  const known = new Set(TARGET_LABELS);
  for (const { metric, labels } of selectors) {
    const has = series.get(metric);
    if (!has) {
      mistakes.push(metric ? `there is no metric ${metric}` : 'a selector without the name of a metric');
      continue;
    }
    for (const label of has) known.add(label);
    for (const label of labels)
      if (!has.has(label) && !TARGET_LABELS.includes(label)) mistakes.push(`${metric} has no label ${label}`);
  }
  if (mistakes.length === 0)
    for (const label of grouping)
      if (!known.has(label)) mistakes.push(`no metric of it has the label ${label}`);
  return mistakes;
}
