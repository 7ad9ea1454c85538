import {
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Meter,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { DURATION_BUCKETS } from './http.hooks.ts';
import { errorType, sampledSpan, traceparentOf } from './spans.ts';

/** What undici, and so Node's own `fetch`, tells of a request (https://undici.nodejs.org/#/docs/api/DiagnosticsChannel). */
type Request = {
  origin: string;
  path: string;
  method: string;
  headers?: unknown;
  addHeader?: (name: string, value: string) => void;
};
type Started = { began: number; span?: Span; attributes: Attributes };

/**
 * Outgoing requests of `fetch`: `traceparent` is sent along, sampled or not; every request is measured, and one below a
 * sampled span gets a span.
 * @returns ends it
 */
export function traceFetch({ tracer, meter }: { tracer: Tracer; meter: Meter }): () => void {
  const duration = meter.createHistogram('http.client.request.duration', {
    unit: 's',
    description: 'Duration of outgoing requests',
    advice: { explicitBucketBoundaries: DURATION_BUCKETS },
  });
  const underWay = new WeakMap<Request, Started>();
  const done = (request: Request, error?: unknown) => {
    const started = underWay.get(request);
    if (!started) return;
    underWay.delete(request);
    const { began, span, attributes } = started;
    if (error !== undefined) attributes['error.type'] = errorType(error);
    duration.record((performance.now() - began) / 1000, attributes);
    if (error !== undefined && span) {
      span.setAttribute('error.type', errorType(error));
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span?.end();
  };
  const listeners = {
    'undici:request:create': ({ request }: { request: Request }) => {
      if (request.method !== 'CONNECT') underWay.set(request, begin(tracer, request));
    },
    'undici:request:headers': (message: { request: Request; response: { statusCode: number } }) => {
      const started = underWay.get(message.request);
      if (started) answered(started, message.response.statusCode);
    },
    'undici:request:trailers': ({ request }: { request: Request }) => done(request),
    'undici:request:error': ({ request, error }: { request: Request; error: unknown }) =>
      done(request, error),
  };
  for (const [channel, listener] of Object.entries(listeners)) subscribe(channel, listener as never);
  return () => {
    for (const [channel, listener] of Object.entries(listeners)) unsubscribe(channel, listener as never);
  };
}

function begin(tracer: Tracer, request: Request): Started {
  const url = new URL(request.path, request.origin);
  const attributes: Attributes = {
    'http.request.method': request.method,
    'server.address': url.hostname,
    'server.port': Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
  };
  // The query may hold what is nobody's business; credentials are in no part of this.
  const span =
    sampledSpan() &&
    tracer.startSpan(request.method, {
      kind: SpanKind.CLIENT,
      attributes: { ...attributes, 'url.full': url.origin + url.pathname },
    });
  const current = (span ?? trace.getActiveSpan())?.spanContext();
  if (current) request.addHeader?.('traceparent', traceparentOf(current));
  return { began: performance.now(), attributes, ...(span && { span }) };
}

function answered({ span, attributes }: Started, status: number): void {
  attributes['http.response.status_code'] = status;
  span?.setAttribute('http.response.status_code', status);
  if (status < 400) return;
  // Of a request of ours even a 4xx is a failure, other than of one that we answer.
  attributes['error.type'] = String(status);
  span?.setAttribute('error.type', String(status));
  span?.setStatus({ code: SpanStatusCode.ERROR });
}
