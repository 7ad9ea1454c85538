/** What a line of the tree needs of a span. Times are milliseconds since 1970, with a fraction. */
export type TreeSpan = {
  spanId: string;
  parentSpanId: string | null;
  service: string;
  name: string;
  startMs: number;
  durationMs: number;
  status: 'unset' | 'ok' | 'error';
  statusMessage?: string;
};

export type TreeNode<S extends TreeSpan = TreeSpan> = {
  span: S;
  /** Of a root: `none` was named, what was named is `outside` (the caller's own), `missing`, or in a `ring` with it. */
  parent: 'known' | 'none' | 'outside' | 'missing' | 'ring';
  children: TreeNode<S>[];
};

/** A line may be as narrow as this before bars are left out. */
const LEAST_BAR = 12;
const MOST_BAR = 40;
const LEFT = 26;

/**
 * Roots and their children, both by start. No span is left out: one whose parent did not come is a root that says so,
 * and of spans that name each other as parents the earliest is one.
 *
 * @param outside the id of the span that the caller sent along; it is nobody's fault that it is not in the trace
 */
export function treeOf<S extends TreeSpan>(spans: S[], outside?: string): TreeNode<S>[] {
  const byStart = [...spans].sort((a, b) => a.startMs - b.startMs);
  const nodes = new Map<string, TreeNode<S>>();
  for (const span of byStart) nodes.set(span.spanId, { span, parent: 'known', children: [] });
  const roots: TreeNode<S>[] = [];
  for (const node of nodes.values()) {
    const { parentSpanId, spanId } = node.span;
    const parent = parentSpanId === spanId ? undefined : nodes.get(parentSpanId ?? '');
    if (parent) parent.children.push(node);
    else {
      node.parent = !parentSpanId ? 'none' : parentSpanId === outside ? 'outside' : 'missing';
      if (parentSpanId === spanId) node.parent = 'ring';
      roots.push(node);
    }
  }
  const reached = new Set<TreeNode<S>>();
  roots.forEach((root) => reach(root, reached));
  for (const node of nodes.values()) {
    if (reached.has(node)) continue;
    // Its ancestors are a ring, so it hangs on no root: cut it off where it is earliest.
    const parent = nodes.get(node.span.parentSpanId!)!;
    parent.children.splice(parent.children.indexOf(node), 1);
    node.parent = 'ring';
    roots.push(node);
    reach(node, reached);
  }
  return roots.sort((a, b) => a.span.startMs - b.span.startMs);
}

function reach<S extends TreeSpan>(node: TreeNode<S>, reached: Set<TreeNode<S>>): void {
  reached.add(node);
  for (const child of node.children) reach(child, reached);
}

/**
 * One line per span: when it began after the first root, how long it took, its place in the tree, and a bar where the
 * width leaves room for one. The last line has the totals.
 *
 * @param width columns of the terminal
 */
export function formatTrace(
  spans: TreeSpan[],
  { width, outside }: { width: number; outside?: string },
): string {
  if (spans.length === 0) return 'No span came.';
  const lines = treeOf(spans, outside).flatMap((root) => linesOf(root, '', ''));
  const from = lines[0]!.span.startMs;
  const first = Math.min(...spans.map(({ startMs }) => startMs));
  const last = Math.max(...spans.map(({ startMs, durationMs }) => startMs + durationMs));
  const longest = Math.max(...lines.map(({ label }) => label.length));
  const barWidth = Math.min(MOST_BAR, width - LEFT - longest - 1);
  const rows = lines.map(({ span, label }) => {
    const mark = span.status === 'error' ? '✗' : ' ';
    const left = `${signed(span.startMs - from).padStart(10)} ${`${span.durationMs.toFixed(1)} ms`.padStart(12)} ${mark} `;
    if (barWidth < LEAST_BAR) return left + cut(label, Math.max(20, width - LEFT));
    return `${left}${label.padEnd(longest)} ${bar(span, { first, last }, barWidth)}`.trimEnd();
  });
  return [
    `${'offset'.padStart(10)} ${'duration'.padStart(12)}`,
    ...rows,
    '',
    totals(spans, last - first),
  ].join('\n');
}

type Line = { span: TreeSpan; label: string };

function linesOf(node: TreeNode, before: string, below: string, parent?: TreeSpan): Line[] {
  const { span, children } = node;
  const label = `${before}${span.service}: ${span.name}${remark(node, parent)}`;
  const lines = children.flatMap((child, i) =>
    i === children.length - 1
      ? linesOf(child, `${below}└ `, `${below}  `, span)
      : linesOf(child, `${below}├ `, `${below}│ `, span),
  );
  return [{ span, label }, ...lines];
}

function remark({ span, parent }: TreeNode, above?: TreeSpan): string {
  const remarks: string[] = [];
  if (span.status === 'error' && span.statusMessage) remarks.push(span.statusMessage.replace(/\s+/g, ' '));
  if (parent === 'missing') remarks.push(`its parent ${span.parentSpanId} is missing`);
  if (parent === 'ring') remarks.push(`its parent ${span.parentSpanId} is below it`);
  // Clocks of two machines, or a span that was given its start afterwards.
  if (above && span.startMs < above.startMs)
    remarks.push(`began ${(above.startMs - span.startMs).toFixed(1)} ms before its parent`);
  return remarks.map((text) => ` (${cut(text, 80)})`).join('');
}

/** In eighths of a column where it ends; never less than one. */
function bar(span: TreeSpan, { first, last }: { first: number; last: number }, width: number): string {
  const scale = width / Math.max(last - first, 0.001);
  const from = Math.min(width - 1, Math.floor((span.startMs - first) * scale));
  const columns = Math.max(0.125, Math.min(width - from, span.durationMs * scale));
  const eighths = Math.max(1, Math.round((columns % 1) * 8));
  const rest = columns % 1 === 0 ? '' : '▏▎▍▌▋▊▉█'[eighths - 1];
  return `${' '.repeat(from)}${'█'.repeat(Math.floor(columns))}${rest}`;
}

function totals(spans: TreeSpan[], totalMs: number): string {
  const services = Map.groupBy(spans, ({ service }) => service);
  const counts = [...services].map(([service, of]) => `${service} ${of.length}`).join(', ');
  const errors = spans.filter(({ status }) => status === 'error').length;
  return `${totalMs.toFixed(1)} ms from the first start to the last end; ${spans.length} spans (${counts}), ${errors} with an error.`;
}

const signed = (ms: number) => `${ms < 0 ? '-' : '+'}${Math.abs(ms).toFixed(1)}`;
const cut = (text: string, most: number) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
