import { context, metrics, propagation, trace, type Meter, type Tracer } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, MetricReader, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import {
  AlwaysOffSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { traceFetch } from './fetch.channel.ts';
import { observeFlow } from './flow.ts';
import { httpHooks } from './http.hooks.ts';
import { messagingTracing } from './messages.ts';
import { serveMetrics } from './metrics.server.ts';
import { checkName, Gauges } from './metrics.ts';
import { otlpMetricExporter, otlpSpanExporter } from './otlp.exporter.ts';
import { tracePg, type PgModule } from './pg.driver.ts';
import { Problems } from './problems.ts';
import { prometheusText } from './prometheus.ts';
import { RedactingProcessor } from './redaction.ts';
import { traceRedis } from './redis.channel.ts';
import { observeRuntime } from './runtime.ts';
import type { Settings } from './settings.ts';
import { inSpan, recordError, traceFields, traceparent } from './spans.ts';
import type { Telemetry, TelemetryOptions } from './telemetry.ts';

const SCOPE = '@cairn/telemetry';
const SHUTDOWN_MS = 3000;
/** Longest value of an attribute. */
const MAX_VALUE = 2000;

/** Whoever scrapes decides when. */
class ScrapedReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** The SDK, put together by hand: what `sdk-node` would load besides costs more than all of this. */
export function createTelemetry(
  { service, version, redact, instrumentations }: TelemetryOptions,
  { endpoint, share, environment }: Settings,
  /** What else gets the spans: a test's memory. */
  watchers: SpanProcessor[] = [],
): Telemetry {
  const problems = new Problems();
  const resource = resourceFromAttributes({
    'service.name': service,
    ...(version && { 'service.version': version }),
    ...(environment && { 'deployment.environment.name': environment }),
    'service.instance.id': randomUUID(),
  });
  const scraped = new ScrapedReader();
  const meters = new MeterProvider({
    resource,
    readers: [
      scraped,
      ...(endpoint
        ? [new PeriodicExportingMetricReader({ exporter: otlpMetricExporter(endpoint, problems) })]
        : []),
    ],
  });
  const exported = endpoint
    ? [
        new BatchSpanProcessor({
          exporter: otlpSpanExporter(endpoint, problems),
          // Counts what it dropped: otel.sdk.processor.span.processed with an error.type.
          selfObsMeterProvider: meters,
        }),
      ]
    : [];
  const processors = [...exported, ...watchers];
  const tracers = new TracerProvider({
    resource,
    // Where nobody gets them, spans are made only for a caller who has sampled the trace, to hand that on.
    sampler: new ParentBasedSampler({
      root: processors.length > 0 ? new TraceIdRatioBasedSampler(share) : new AlwaysOffSampler(),
    }),
    spanLimits: { attributeValueLengthLimit: MAX_VALUE },
    spanProcessors: [...(redact ? [new RedactingProcessor(redact)] : []), ...processors],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(tracers);
  metrics.setGlobalMeterProvider(meters);
  const tracer = tracers.getTracer(SCOPE);
  const meter = meters.getMeter(SCOPE);
  const stop = instrument(instrumentations, { tracer, meter });
  const gauges = new Gauges(meter);
  const gauge: Telemetry['gauge'] = (name, options) => gauges.add(name, options);
  return {
    enabled: true,
    httpHooks: (server, options) => httpHooks(server, { tracer, meter }, options),
    messaging: messagingTracing({ tracer, meter }),
    observeFlow: (parts) => observeFlow(gauge, parts),
    gauge,
    counter: (name, options) => {
      checkName(name);
      return meter.createCounter(name, options);
    },
    meter,
    inSpan: (name, options, work) => inSpan(tracer, name, options, work),
    recordError,
    traceparent,
    traceFields,
    serveMetrics: (options) =>
      serveMetrics(options, async () => prometheusText((await scraped.collect()).resourceMetrics)),
    onProblem: (listener) => problems.listen(listener),
    shutdown: async () => {
      stop();
      const ended = Promise.allSettled([tracers.shutdown(), meters.shutdown()]);
      await Promise.race([ended, deadline(SHUTDOWN_MS)]);
      for (const api of [context, propagation, trace, metrics]) api.disable();
    },
  };
}

function instrument(
  which: TelemetryOptions['instrumentations'] = ['pg', 'ioredis', 'fetch', 'runtime'],
  parts: { tracer: Tracer; meter: Meter },
): () => void {
  const stops: (() => void)[] = [];
  if (which.includes('pg')) {
    const pg = installed('pg') as PgModule | undefined;
    if (pg) tracePg(pg, parts);
  }
  if (which.includes('ioredis')) stops.push(traceRedis(parts.tracer));
  if (which.includes('fetch')) stops.push(traceFetch(parts));
  if (which.includes('runtime')) stops.push(observeRuntime(parts.meter));
  return () => stops.forEach((stop) => stop());
}

/**
 * A package as the program itself would get it. A driver that is CommonJS is one object for all who require it, so it is
 * patched in place, and no hook has to look at every module that is loaded.
 */
function installed(name: string): unknown {
  try {
    return createRequire(resolve(process.argv[1] ?? 'main.js'))(name) as unknown;
  } catch {
    return undefined;
  }
}

function deadline(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
