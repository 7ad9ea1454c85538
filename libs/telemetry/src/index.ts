export { inSpan } from './active.ts';
export { traceparent } from './spans.ts';
export { startTelemetry } from './start.ts';
export type {
  Counter,
  GaugeOptions,
  Instrumentation,
  Sample,
  SpanKindName,
  Telemetry,
  TelemetryOptions,
  TraceFields,
} from './telemetry.ts';
export type { FastifyShape, HttpHookOptions, ReplyShape, RequestShape } from './http.hooks.ts';
export type { EventShape, IncomingMessage, MessagingTracing, OutgoingMessage } from './messages.ts';
export type { MetricsRoute, MetricsServer, MetricsServerOptions } from './metrics.server.ts';
export type { ConsumerShape, FlowParts, RelayShape } from './flow.ts';
