import type { Attributes, Meter, Span } from '@opentelemetry/api';
import type { FlowParts } from './flow.ts';
import type { FastifyShape, HttpHookOptions } from './http.hooks.ts';
import type { MessagingTracing } from './messages.ts';
import type { MetricsServer, MetricsServerOptions } from './metrics.server.ts';

export type TelemetryOptions = {
  /** `service.name`: who speaks. */
  service: string;
  /** `service.version`. */
  version?: string;
  /**
   * Where `OTEL_SDK_DISABLED`, `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_TRACES_SAMPLER_ARG` and `DEPLOYMENT_ENVIRONMENT` are
   * read from. Default `process.env`. A value that makes no sense counts as not set: whoever validates the environment
   * says so, and telemetry is no reason for not starting.
   */
  env?: NodeJS.ProcessEnv;
  /** Takes secrets out of a text. Goes over names, attributes, events and errors of every span before it is exported. */
  redact?: (text: string) => string;
  /** What makes spans by itself, as far as it is installed. Default: all of it. */
  instrumentations?: Instrumentation[];
};

/** PostgreSQL through `pg`, Redis through `ioredis`, HTTP through `fetch`, the event loop of Node. */
export type Instrumentation = 'pg' | 'ioredis' | 'fetch' | 'runtime';

export type SpanKindName = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

export type TraceFields = { trace_id: string; span_id: string; trace_flags: string };

export type Sample = { value: number; attributes?: Attributes };

export type GaugeOptions = {
  /** UCUM: `s`, `By`, `1`, or `{order}` for a count of orders. */
  unit: string;
  description: string;
  /** Asked whenever metrics are collected. Given up after 1 s; then, or when it fails, the sample is left out. */
  read: () => number | Sample[] | Promise<number | Sample[]>;
};

export type Counter = { add(count: number, attributes?: Attributes): void };

export interface Telemetry {
  /** False when `OTEL_SDK_DISABLED=true`, and in worker threads: then no method does anything. */
  readonly enabled: boolean;
  /** Traces and measures the requests of a Fastify server. Before any other hooks, so that those have the trace. */
  httpHooks(server: FastifyShape, options?: HttpHookOptions): void;
  /** For `Broker({ tracing })` of @cairn/messaging, or whatever has its shape. */
  readonly messaging: MessagingTracing;
  /** Gauges of consumers (joined, lag) and of an outbox (depth, age of its oldest event). Once per process. */
  observeFlow(parts: FlowParts): void;
  /** A value that is read when metrics are collected. @throws RangeError for a name that is taken or not well formed */
  gauge(name: string, options: GaugeOptions): void;
  /** A number that only rises. Ask once per name. @throws RangeError for a name that is not well formed */
  counter(name: string, options: { unit: string; description: string }): Counter;
  /** For whatever takes a meter of OpenTelemetry. */
  readonly meter: Meter;
  /** Runs `work` in a span below the one under way; what it throws is recorded and thrown on. */
  inSpan<T>(
    name: string,
    options: { kind?: SpanKindName; attributes?: Attributes },
    work: (span: Span) => Promise<T>,
  ): Promise<T>;
  /** Puts an error that nobody throws on, because it is answered, on the span under way. */
  recordError(error: unknown): void;
  /** W3C `traceparent` of the span under way, sampled or not: to hand on, or to keep with an outbox row. */
  traceparent(): string | undefined;
  /** OpenTelemetry's names for a log line. Undefined outside of any trace. */
  traceFields(): TraceFields | undefined;
  /** `/metrics` and `routes` by a server of its own, which stays up while the main one drains. */
  serveMetrics(options: MetricsServerOptions): Promise<MetricsServer>;
  /**
   * Where problems of telemetry itself go: an endpoint that takes nothing, once per outage and not per batch. What
   * happened before is told at once; so it may be set after the logger has been made.
   */
  onProblem(listener: (error: Error) => void): void;
  /** Sends what is left and ends. At most 3 s, whatever the endpoint does. Never rejects. */
  shutdown(): Promise<void>;
}
