import { randomBytes } from 'node:crypto';
import type { TreeSpan } from './trace-tree.ts';
import { waitFor } from './wait.ts';

/** A span as the simulators' trace store answers it. */
export type StoredSpan = TreeSpan & {
  traceId: string;
  scope: string;
  kind: 'unspecified' | 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  attributes: Record<string, unknown>;
  links: { traceId: string; spanId: string }[];
  resource: Record<string, unknown>;
};

/** A trace that the caller begins: its own span is not exported, so the first one in the store names it as parent. */
export type OwnTrace = { traceId: string; spanId: string; traceparent: string };

/** @returns ids for one trace that is to be sampled, and the header that says so (W3C Trace Context, version 00) */
export function beginTrace(): OwnTrace {
  const traceId = randomBytes(16).toString('hex');
  const spanId = randomBytes(8).toString('hex');
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-01` };
}

/** The spans of a trace that have come so far, by start. */
export async function spansOf(traceId: string, store: string): Promise<StoredSpan[]> {
  const response = await fetch(`${store}/traces/${traceId}`, { signal: AbortSignal.timeout(5000) }).catch(
    (cause: unknown) => {
      throw new Error(`No trace store answers at ${store}. Is the stack up? Start it with: npm start`, {
        cause,
      });
    },
  );
  if (response.status === 404) return [];
  if (!response.ok) throw new Error(`GET /traces/${traceId}: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { spans: StoredSpan[] }).spans;
}

/** A trace is whole when every service has sent spans, no parent is missing, and nothing has come for a while. */
export type Whole = {
  services: string[];
  /** Milliseconds without a new span; longer than exporters keep spans back, which send the small batches by a timer. */
  quietMs?: number;
  timeoutMs?: number;
};

/** Waits for a whole trace. @throws Error naming what was still missing after `timeoutMs` */
export async function wholeTrace(
  own: OwnTrace,
  store: string,
  { services, quietMs = 6000, timeoutMs = 30_000 }: Whole,
): Promise<StoredSpan[]> {
  let spans: StoredSpan[] = [];
  let since = Date.now();
  const ask = async () => {
    const now = await spansOf(own.traceId, store);
    if (now.length !== spans.length) since = Date.now();
    spans = now;
    return missingOf(spans, own, services).length === 0 && Date.now() - since >= quietMs ? spans : undefined;
  };
  const seen = () => missingOf(spans, own, services).join(', ') || 'new spans kept coming';
  return waitFor(`trace ${own.traceId}`, ask, { timeoutMs, everyMs: 100, seen });
}

/** What is not there yet, in words. */
export function missingOf(spans: StoredSpan[], { spanId }: { spanId: string }, services: string[]): string[] {
  const there = new Set(spans.map(({ service }) => service));
  const ids = new Set([spanId, ...spans.map((span) => span.spanId)]);
  return [
    ...services.filter((service) => !there.has(service)).map((service) => `no span of ${service}`),
    ...spans
      .filter(({ parentSpanId }) => parentSpanId && !ids.has(parentSpanId))
      .map(({ service, name }) => `the parent of ${service}: ${name}`),
  ];
}
