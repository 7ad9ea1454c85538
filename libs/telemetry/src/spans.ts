import {
  context,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Span,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api';
import type { SpanKindName, TraceFields } from './telemetry.ts';

const KINDS: Record<SpanKindName, SpanKind> = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

/** Runs `work` in a new span below the one under way. */
export async function inSpan<T>(
  tracer: Tracer,
  name: string,
  { kind = 'internal', attributes }: { kind?: SpanKindName; attributes?: Attributes },
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const parent = context.active();
  const span = tracer.startSpan(name, { kind: KINDS[kind], ...(attributes && { attributes }) }, parent);
  try {
    return await context.with(trace.setSpan(parent, span), () => work(span));
  } catch (error) {
    failed(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** Records what was thrown. `error.type` is its code, else its class: a message would be a value of its own each time. */
export function failed(span: Span, thrown: unknown): void {
  if (!span.isRecording()) return;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  span.setAttribute('error.type', errorType(error));
  span.recordException(error);
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
}

/** An exception on the span under way, whose status is left to whoever ends it. */
export function recordError(error: unknown): void {
  sampledSpan()?.recordException(error instanceof Error ? error : new Error(String(error)));
}

export function errorType(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  if (typeof code === 'string' && code !== '') return code;
  return typeof name === 'string' && name !== '' ? name : 'Error';
}

/** The span under way, when it will be exported. */
export function sampledSpan(): Span | undefined {
  const span = trace.getActiveSpan();
  return span?.isRecording() ? span : undefined;
}

/** https://www.w3.org/TR/trace-context/#traceparent-header */
export function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${flags(traceFlags)}`;
}

export function traceparent(): string | undefined {
  const current = trace.getActiveSpan()?.spanContext();
  return current && traceparentOf(current);
}

export function traceFields(): TraceFields | undefined {
  const current = trace.getActiveSpan()?.spanContext();
  if (!current) return undefined;
  return { trace_id: current.traceId, span_id: current.spanId, trace_flags: flags(current.traceFlags) };
}

const flags = (traceFlags: number) => (traceFlags & 1 ? '01' : '00');

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** What a caller sent; undefined when it is not well formed, and a trace of our own begins. */
export function parseTraceparent(text: unknown): SpanContext | undefined {
  if (typeof text !== 'string') return undefined;
  const [, traceId, spanId, bits] = TRACEPARENT.exec(text) ?? [];
  if (!traceId || !spanId || !bits || text.startsWith('ff')) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(bits, 16) & 1, isRemote: true };
}
