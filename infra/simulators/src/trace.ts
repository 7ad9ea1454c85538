export type SpanKind = 'unspecified' | 'internal' | 'server' | 'client' | 'producer' | 'consumer';
export type AttributeValue =
  string | number | boolean | null | AttributeValue[] | { [key: string]: AttributeValue };

/** One span as it is answered. Times are milliseconds since 1970, with a fraction. */
export type Span = {
  traceId: string;
  spanId: string;
  /** Null of a span that began its trace. */
  parentSpanId: string | null;
  service: string;
  /** The instrumentation that made it. */
  scope: string;
  name: string;
  kind: SpanKind;
  startMs: number;
  durationMs: number;
  status: 'unset' | 'ok' | 'error';
  statusMessage?: string;
  attributes: Record<string, AttributeValue>;
  events: { name: string; timeMs: number; attributes: Record<string, AttributeValue> }[];
  links: { traceId: string; spanId: string }[];
  resource: Record<string, AttributeValue>;
};

export type TraceSummary = {
  traceId: string;
  /** Of the earliest span whose parent is not in the trace. */
  service: string;
  name: string;
  services: string[];
  spans: number;
  errors: number;
  startedAt: string;
  /** From the first start to the last end. */
  durationMs: number;
};

export type TraceFilter = {
  service?: string | undefined;
  attribute?: { key: string; value: string } | undefined;
};

/** By start; a parent before the child that started in the same instant. */
export function sortSpans(spans: Iterable<Span>): Span[] {
  const list = [...spans];
  const byId = new Map(list.map((span) => [span.spanId, span]));
  const depth = (span: Span): number => {
    const seen = new Set<string>();
    let at: Span | undefined = span;
    while (at && !seen.has(at.spanId)) {
      seen.add(at.spanId);
      at = byId.get(at.parentSpanId ?? '');
    }
    return seen.size;
  };
  return list.sort((a, b) => a.startMs - b.startMs || depth(a) - depth(b));
}

export function summarize(spans: Span[]): TraceSummary {
  const sorted = sortSpans(spans);
  const ids = new Set(sorted.map(({ spanId }) => spanId));
  const first = sorted.find(({ parentSpanId }) => !ids.has(parentSpanId ?? '')) ?? sorted[0]!;
  const startMs = sorted[0]!.startMs;
  const endMs = Math.max(...sorted.map((span) => span.startMs + span.durationMs));
  return {
    traceId: first.traceId,
    service: first.service,
    name: first.name,
    services: [...new Set(sorted.map(({ service }) => service))].sort(),
    spans: sorted.length,
    errors: sorted.filter(({ status }) => status === 'error').length,
    startedAt: new Date(startMs).toISOString(),
    durationMs: Math.round((endMs - startMs) * 1000) / 1000,
  };
}

/** Whether ONE span of the trace fits all that is asked for; an attribute of its resource counts as its own. */
export function fits(spans: Span[], { service, attribute }: TraceFilter): boolean {
  return spans.some((span) => {
    if (service !== undefined && span.service !== service) return false;
    if (!attribute) return true;
    const value = span.attributes[attribute.key] ?? span.resource[attribute.key];
    return value !== undefined && text(value) === attribute.value;
  });
}

const text = (value: AttributeValue) => (typeof value === 'object' ? JSON.stringify(value) : String(value));
