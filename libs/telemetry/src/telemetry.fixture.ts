import { InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace';
import { createTelemetry } from './sdk.ts';
import type { Settings } from './settings.ts';
import type { TelemetryOptions } from './telemetry.ts';

/** The real SDK, with its spans kept in memory; no instrumentation but what a test asks for. */
export function testTelemetry(options: Partial<TelemetryOptions> = {}, settings: Partial<Settings> = {}) {
  const exporter = new InMemorySpanExporter();
  const telemetry = createTelemetry(
    { service: 'test', instrumentations: [], ...options },
    { disabled: false, share: 1, ...settings },
    [new SimpleSpanProcessor({ exporter })],
  );
  return {
    telemetry,
    /** Spans that have ended, in that order. */
    spans: () => exporter.getFinishedSpans(),
    span: (name: string): ReadableSpan => {
      const found = exporter.getFinishedSpans().filter((span) => span.name === name);
      if (found.length !== 1) throw new Error(`${found.length} spans "${name}" of ${namesOf(exporter)}`);
      return found[0]!;
    },
    /** The lines of /metrics that begin like this. */
    metrics: async (prefix: string): Promise<string[]> => {
      const server = await telemetry.serveMetrics({ port: 0, host: '127.0.0.1' });
      const text = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
      await server.close();
      return text.split('\n').filter((line) => line.startsWith(prefix));
    },
  };
}

const namesOf = (exporter: InMemorySpanExporter) =>
  JSON.stringify(exporter.getFinishedSpans().map(({ name }) => name));

export const TRACE = '0af7651916cd43dd8448eb211c80319c';
export const PARENT = 'b7ad6b7169203331';
export const SAMPLED = `00-${TRACE}-${PARENT}-01`;
export const UNSAMPLED = `00-${TRACE}-${PARENT}-00`;

/** Resolves once `is` holds; throws when it does not within 4 s. */
export async function until(is: () => boolean): Promise<void> {
  for (const end = Date.now() + 4000; !is();) {
    if (Date.now() > end) throw new Error(`it never came to ${String(is)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
