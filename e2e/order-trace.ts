import type { StoredSpan } from '@cairn/tools/demo/traces.client.ts';

/** What one order does that is paid at once, in the order in which it happens. */
export const STEPS = [
  step('orders', 'server', 'POST /api/v1/orders'),
  step('orders', 'producer', 'send order.confirmed.v1', 'POST /api/v1/orders'),
  step('payments', 'consumer', 'process order.confirmed.v1', 'send order.confirmed.v1'),
  step('payments', 'client', 'POST', 'process order.confirmed.v1'),
  step('payments', 'producer', 'send payment.succeeded.v1', 'process order.confirmed.v1'),
  step('orders', 'consumer', 'process payment.succeeded.v1', 'send payment.succeeded.v1'),
  step('orders', 'producer', 'send order.paid.v1', 'process payment.succeeded.v1'),
  step('worker', 'consumer', 'process order.paid.v1', 'send order.paid.v1'),
  step('worker', 'internal', 'render receipt', 'process order.paid.v1'),
  step('worker', 'client', 's3 put', 'process order.paid.v1'),
  step('worker', 'producer', 'send receipt.stored.v1', 'process order.paid.v1'),
  step('notifications', 'consumer', 'process receipt.stored.v1', 'send receipt.stored.v1'),
  step('notifications', 'client', 'smtp send', 'process receipt.stored.v1'),
];
/** Below which steps PostgreSQL is asked: those of the services that keep something. */
export const WITH_QUERIES = [
  'POST /api/v1/orders',
  'process order.confirmed.v1',
  'process payment.succeeded.v1',
  'process receipt.stored.v1',
];

export type Step = { service: string; kind: StoredSpan['kind']; name: string; below: string | undefined };
/** The span that the caller named as parent, and what it sent as X-Correlation-ID. */
export type Caller = { spanId: string; correlationId: string };

function step(service: string, kind: StoredSpan['kind'], name: string, below?: string): Step {
  return { service, kind, name, below };
}

/** What is wrong with the spans of one order: nothing, if they are one trace as it should be. */
export function mistakesOf(spans: StoredSpan[], caller: Caller): string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const found = STEPS.map((expected) => ({ expected, of: spans.filter((span) => isStep(span, expected)) }));
  const stepOf = new Map(found.flatMap(({ expected, of }) => of.map((span) => [span, expected.name])));

  /** The step that a span hangs below, other spans in between or not. */
  const below = (span: StoredSpan): string | undefined => {
    const seen = new Set<StoredSpan>();
    for (
      let at = byId.get(span.parentSpanId ?? '');
      at && !seen.has(at);
      at = byId.get(at.parentSpanId ?? '')
    ) {
      seen.add(at);
      if (stepOf.has(at)) return stepOf.get(at);
    }
    return undefined;
  };

  return [
    ...found.flatMap(({ expected, of }) => {
      if (of.length !== 1) return [`${of.length} spans ${text(expected)}, not 1`];
      const [span] = of as [StoredSpan];
      const hangs = below(span);
      return hangs === expected.below ? [] : [`${text(expected)} is below ${hangs}, not ${expected.below}`];
    }),
    ...spans.flatMap((span) => mistakesOfSpan(span, byId, caller)),
    ...WITH_QUERIES.filter((name) => !spans.some((span) => isQuery(span) && below(span) === name)).map(
      (name) => `no query below ${name}`,
    ),
  ];
}

function mistakesOfSpan(span: StoredSpan, byId: Map<string, StoredSpan>, caller: Caller): string[] {
  const parent = byId.get(span.parentSpanId ?? '');
  const mistakes: string[] = [];
  if (span.kind === 'server') {
    if (span.parentSpanId !== caller.spanId)
      mistakes.push(`its parent is ${span.parentSpanId}, not the caller's`);
  } else if (!parent) mistakes.push(`its parent ${span.parentSpanId} is not in the trace`);
  // A row of the outbox is as old as the database says, and one clock is a little ahead of the other.
  else if (span.startMs < parent.startMs - 1) mistakes.push('it began before its parent');
  if (span.status === 'error') mistakes.push(`it failed: ${span.statusMessage}`);
  const correlated = ['server', 'producer', 'consumer'].includes(span.kind);
  if (correlated && span.attributes['correlation_id'] !== caller.correlationId)
    mistakes.push(`its correlation id is ${String(span.attributes['correlation_id'])}`);
  return mistakes.map((mistake) => `${text(span)}: ${mistake}`);
}

const isStep = (span: StoredSpan, { service, kind, name }: Step) =>
  span.service === service && span.kind === kind && span.name === name;
const isQuery = ({ kind, attributes }: StoredSpan) =>
  kind === 'client' && attributes['db.system.name'] === 'postgresql';
const text = ({ service, kind, name }: Pick<StoredSpan, 'service' | 'kind' | 'name'>) =>
  `${service}: ${name} (${kind})`;
