import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import type { PushMetricExporter, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { Problems } from './problems.ts';

type Exporter<T> = {
  export(items: T, done: (result: ExportResult) => void): void;
  forceFlush?(): Promise<void>;
  shutdown(): Promise<void>;
};

/**
 * An exporter whose modules are loaded with the first batch, seconds after the process is ready: they are 3 MB and take
 * some of the time in which it starts. Failures become one problem per outage.
 */
class LazyExporter<T> {
  readonly #what: string;
  readonly #load: () => Promise<Exporter<T>>;
  readonly #problems: Problems;
  #exporter: Promise<Exporter<T>> | undefined;

  constructor(what: string, load: () => Promise<Exporter<T>>, problems: Problems) {
    this.#what = what;
    this.#load = load;
    this.#problems = problems;
  }

  export(items: T, done: (result: ExportResult) => void): void {
    const told = (result: ExportResult): void => {
      if (result.code === ExportResultCode.SUCCESS) this.#problems.worked(this.#what);
      else this.#problems.failed(this.#what, result.error ?? 'the endpoint did not take it');
      done(result);
    };
    this.#exporter ??= this.#load();
    this.#exporter.then(
      (exporter) => exporter.export(items, told),
      (error: Error) => told({ code: ExportResultCode.FAILED, error }),
    );
  }

  async forceFlush(): Promise<void> {
    await (await this.#exporter)?.forceFlush?.();
  }

  async shutdown(): Promise<void> {
    await (await this.#exporter)?.shutdown();
  }
}

/** OTLP over HTTP, as JSON: of the three transports it is the one that needs no protobuf or gRPC in the process. */
export function otlpSpanExporter(endpoint: string, problems: Problems): SpanExporter {
  return new LazyExporter<ReadableSpan[]>(
    'the export of spans',
    async () => {
      const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
      return new OTLPTraceExporter({ url: `${endpoint}/v1/traces` });
    },
    problems,
  );
}

export function otlpMetricExporter(endpoint: string, problems: Problems): PushMetricExporter {
  return new LazyExporter<ResourceMetrics>(
    'the export of metrics',
    async () => {
      const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-http');
      return new OTLPMetricExporter({ url: `${endpoint}/v1/metrics` });
    },
    problems,
  );
}
