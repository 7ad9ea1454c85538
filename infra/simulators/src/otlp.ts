import { z } from 'zod';
import type { AttributeValue, Span, SpanKind } from './trace.ts';

/**
 * What of OTLP's JSON is kept (opentelemetry-proto 1.x, "JSON Protobuf Encoding"): ids are hex, 64-bit numbers text,
 * enums numbers. Unknown fields are passed over, as that encoding demands.
 */
type AnyValue = {
  stringValue?: string | undefined;
  boolValue?: boolean | undefined;
  intValue?: number | string | undefined;
  doubleValue?: number | string | undefined;
  arrayValue?: { values?: AnyValue[] | undefined } | undefined;
  kvlistValue?: { values?: KeyValue[] | undefined } | undefined;
  bytesValue?: string | undefined;
};
type KeyValue = { key: string; value?: AnyValue | undefined };

const number = z.union([z.number(), z.string().regex(/^-?\d+(\.\d+)?$/, 'must be a number')]);
const anyValue: z.ZodType<AnyValue> = z.lazy(() =>
  z.object({
    stringValue: z.string().optional(),
    boolValue: z.boolean().optional(),
    intValue: number.optional(),
    doubleValue: z.union([number, z.enum(['NaN', 'Infinity', '-Infinity'])]).optional(),
    arrayValue: z.object({ values: z.array(anyValue).optional() }).optional(),
    kvlistValue: z.object({ values: z.array(keyValue).optional() }).optional(),
    bytesValue: z.string().optional(),
  }),
);
const keyValue: z.ZodType<KeyValue> = z.object({ key: z.string(), value: anyValue.optional() });
const attributes = z.array(keyValue).default([]);

const nanoseconds = z
  .union([z.string().regex(/^\d{1,20}$/, 'must be nanoseconds since 1970'), z.int().min(0).transform(String)])
  .transform(BigInt);
const traceId = z.string().regex(/^[\da-f]{32}$/i, 'must be 32 hex digits');
const spanId = z.string().regex(/^[\da-f]{16}$/i, 'must be 16 hex digits');

const spanSchema = z.object({
  traceId,
  spanId,
  /** Of a root it is absent, or empty when a collector wrote it. */
  parentSpanId: z.union([spanId, z.literal('')]).nullish(),
  name: z.string().max(2000),
  kind: z.int().default(0),
  startTimeUnixNano: nanoseconds,
  endTimeUnixNano: nanoseconds,
  attributes,
  events: z.array(z.object({ name: z.string(), timeUnixNano: nanoseconds, attributes })).default([]),
  links: z.array(z.object({ traceId, spanId })).default([]),
  status: z.object({ code: z.int().optional(), message: z.string().optional() }).default({}),
});

export const exportSchema = z.object({
  resourceSpans: z
    .array(
      z.object({
        resource: z.object({ attributes }).optional(),
        scopeSpans: z
          .array(
            z.object({
              scope: z.object({ name: z.string().optional() }).optional(),
              spans: z.array(spanSchema),
            }),
          )
          .default([]),
      }),
    )
    .default([]),
});

const kinds: SpanKind[] = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];
const statuses = ['unset', 'ok', 'error'] as const;
/** Longer texts are cut: a store of spans is no place for bodies. */
const mostCharacters = 4096;

/** The spans of one export, as they are kept and answered. */
export function spansOf({ resourceSpans }: z.output<typeof exportSchema>): Span[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const ofResource = record(resource?.attributes ?? []);
    const service = String(ofResource['service.name'] ?? 'unknown_service');
    return scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({ ...toSpan(span), service, scope: scope?.name ?? '', resource: ofResource })),
    );
  });
}

function toSpan(span: z.output<typeof spanSchema>): Omit<Span, 'service' | 'scope' | 'resource'> {
  const { startTimeUnixNano: start, endTimeUnixNano: end, status } = span;
  return {
    traceId: span.traceId.toLowerCase(),
    spanId: span.spanId.toLowerCase(),
    parentSpanId: span.parentSpanId?.toLowerCase() || null,
    name: span.name,
    kind: kinds[span.kind] ?? 'unspecified',
    startMs: milliseconds(start),
    durationMs: Number(end - start) / 1e6,
    status: statuses[status.code ?? 0] ?? 'unset',
    ...(status.message && { statusMessage: cut(status.message) }),
    attributes: record(span.attributes),
    events: span.events.map(({ name, timeUnixNano, attributes }) => ({
      name,
      timeMs: milliseconds(timeUnixNano),
      attributes: record(attributes),
    })),
    links: span.links.map((link) => ({
      traceId: link.traceId.toLowerCase(),
      spanId: link.spanId.toLowerCase(),
    })),
  };
}

/** With a fraction: today's milliseconds leave a double a quarter of a microsecond. */
const milliseconds = (ns: bigint) => Number(ns / 1_000_000n) + Number(ns % 1_000_000n) / 1e6;
const cut = (text: string) => (text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text);

const record = (list: KeyValue[]): Record<string, AttributeValue> =>
  Object.fromEntries(list.map(({ key, value = {} }) => [key, plain(value)]));

function plain(value: AnyValue): AttributeValue {
  if (value.stringValue !== undefined) return cut(value.stringValue);
  if (value.boolValue !== undefined) return value.boolValue;
  if (value.intValue !== undefined) return Number(value.intValue);
  if (value.doubleValue !== undefined) return Number(value.doubleValue);
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(plain);
  if (value.kvlistValue) return record(value.kvlistValue.values ?? []);
  return value.bytesValue === undefined ? null : cut(value.bytesValue);
}
