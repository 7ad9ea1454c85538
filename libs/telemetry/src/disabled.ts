import { createNoopMeter, INVALID_SPAN_CONTEXT, trace } from '@opentelemetry/api';
import { serveMetrics } from './metrics.server.ts';
import type { Telemetry } from './telemetry.ts';

/** Does nothing. Only extra routes of the metrics port are still served: a probe or `/prestop` may hang on them. */
export function disabledTelemetry(): Telemetry {
  const span = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
  return {
    enabled: false,
    httpHooks: () => {},
    messaging: {
      published: () => undefined,
      process: (_, work) => work(),
      parked: () => {},
    },
    observeFlow: () => {},
    gauge: () => {},
    counter: () => ({ add: () => {} }),
    meter: createNoopMeter(),
    inSpan: (_name, _options, work) => work(span),
    recordError: () => {},
    traceparent: () => undefined,
    traceFields: () => undefined,
    serveMetrics: (options) => serveMetrics(options),
    onProblem: () => {},
    shutdown: async () => {},
  };
}
