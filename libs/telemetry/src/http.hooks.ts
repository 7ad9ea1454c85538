import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Histogram,
  type Meter,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { parseTraceparent, recordError } from './spans.ts';

/** What is read of a Fastify request, so that this library depends on a shape and not on a framework. */
export type RequestShape = {
  method: string;
  url: string;
  headers: Record<string, string | string[] | undefined>;
  routeOptions: { url?: string };
};
export type ReplyShape = {
  raw: {
    once(event: 'close', listener: () => void): unknown;
    writableFinished: boolean;
    headersSent: boolean;
    statusCode: number;
  };
  getHeader(name: string): unknown;
};
export type FastifyShape = {
  addHook(
    name: 'onRequest',
    hook: (request: RequestShape, reply: ReplyShape, done: () => void) => void,
  ): unknown;
  addHook(
    name: 'onError',
    hook: (request: RequestShape, reply: ReplyShape, error: Error, done: () => void) => void,
  ): unknown;
};

export type HttpHookOptions = {
  /** Paths that are neither traced nor measured, by how they begin. Default `['/health']`. */
  mute?: string[];
  /** More attributes for the span, asked at the end of requests that are sampled. */
  attributes?: (request: RequestShape, reply: ReplyShape) => Attributes;
  /** A header of the reply that goes into the span as `correlation_id`. Default `x-correlation-id`. */
  correlationHeader?: string;
};

/** Seconds; what the semantic conventions ask for. */
export const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);

/**
 * A server span and a sample of `http.server.request.duration` per request, by Fastify's own hooks. Patching node:http,
 * as the stock instrumentation does, costs several times as much per request, sampled or not, and then still needs a
 * second one that knows the route.
 *
 * A request that is not sampled costs its two ids, one look at the clock and one sample.
 */
export function httpHooks(
  server: FastifyShape,
  { tracer, meter }: { tracer: Tracer; meter: Meter },
  { mute = ['/health'], attributes: more, correlationHeader = 'x-correlation-id' }: HttpHookOptions = {},
): void {
  const duration = meter.createHistogram('http.server.request.duration', {
    unit: 's',
    description: 'Duration of requests, from their head until the reply is sent',
    advice: { explicitBucketBoundaries: DURATION_BUCKETS },
  });
  server.addHook('onRequest', (request, reply, done) => {
    const { url } = request;
    if (mute.some((path) => url.startsWith(path))) return done();
    const began = performance.now();
    const parent = parentOf(request);
    const span = tracer.startSpan(nameOf(request), { kind: SpanKind.SERVER }, parent);
    if (span.isRecording()) {
      const query = url.indexOf('?');
      span.setAttribute('http.request.method', methodOf(request));
      span.setAttribute('url.path', query < 0 ? url : url.slice(0, query));
      span.setAttribute('url.scheme', 'http');
    }
    // 'close' follows 'finish', and comes too when the client has gone: Fastify's onResponse would not be called then.
    reply.raw.once('close', () => {
      record(duration, request, reply, (performance.now() - began) / 1000);
      if (span.isRecording()) finish(span, request, reply, { more, correlationHeader });
    });
    // Fastify binds the end of a body to the request's context itself.
    context.with(trace.setSpan(parent, span), done);
  });
  // A framework that answers errors itself, as Nest does, never comes here: it has `recordError`.
  server.addHook('onError', (_request, _reply, error, done) => {
    const { statusCode = 500 } = error as { statusCode?: number };
    if (statusCode >= 500) recordError(error);
    done();
  });
}

function parentOf({ headers }: RequestShape) {
  const remote = headers['traceparent'] && parseTraceparent(headers['traceparent']);
  return remote ? trace.setSpanContext(ROOT_CONTEXT, remote) : ROOT_CONTEXT;
}

const methodOf = ({ method }: RequestShape) => (METHODS.has(method) ? method : '_OTHER');

/** The route and not the path: an id in it would make every span a kind of its own. */
function nameOf(request: RequestShape): string {
  const route = request.routeOptions.url;
  const method = METHODS.has(request.method) ? request.method : 'HTTP';
  return route ? `${method} ${route}` : method;
}

/** Undefined while there is none: the client went before the reply had begun. */
const statusOf = ({ raw }: ReplyShape) => (raw.headersSent ? raw.statusCode : undefined);

/** Low cardinality, since each value becomes a time series: the status of a failure, or that the client went. */
function errorOf(reply: ReplyShape): string | undefined {
  const status = statusOf(reply);
  if (status !== undefined && status >= 500) return String(status);
  return reply.raw.writableFinished ? undefined : 'aborted';
}

function record(duration: Histogram, request: RequestShape, reply: ReplyShape, seconds: number): void {
  const route = request.routeOptions.url;
  const status = statusOf(reply);
  const error = errorOf(reply);
  const attributes: Attributes = { 'http.request.method': methodOf(request) };
  if (route) attributes['http.route'] = route;
  if (status !== undefined) attributes['http.response.status_code'] = status;
  if (error) attributes['error.type'] = error;
  duration.record(seconds, attributes);
}

function finish(
  span: Span,
  request: RequestShape,
  reply: ReplyShape,
  {
    more,
    correlationHeader,
  }: Pick<HttpHookOptions, 'correlationHeader'> & { more: HttpHookOptions['attributes'] },
): void {
  const route = request.routeOptions.url;
  const status = statusOf(reply);
  const error = errorOf(reply);
  const correlation = correlationHeader && reply.getHeader(correlationHeader);
  if (route) span.setAttribute('http.route', route);
  if (status !== undefined) span.setAttribute('http.response.status_code', status);
  if (typeof correlation === 'string') span.setAttribute('correlation_id', correlation);
  if (error) span.setAttribute('error.type', error);
  // A 4xx is the caller's mistake, and an aborted request his choice.
  if (status !== undefined && status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  if (more) span.setAttributes(more(request, reply));
  span.end();
}
