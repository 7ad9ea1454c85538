import { trace, type Attributes, type Span } from '@opentelemetry/api';
import { inSpan as inSpanOf } from './spans.ts';
import type { SpanKindName } from './telemetry.ts';

/**
 * Runs `work` in a span below the one under way; what it throws is recorded and thrown on. For code that is far from where
 * telemetry was started; where it was not, only the work is done.
 */
export function inSpan<T>(
  name: string,
  options: { kind?: SpanKindName; attributes?: Attributes },
  work: (span: Span) => Promise<T>,
): Promise<T> {
  return inSpanOf(trace.getTracer('@cairn/telemetry'), name, options, work);
}
