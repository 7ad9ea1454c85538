import { fits, sortSpans, summarize } from './trace.ts';
import type { Span, TraceFilter, TraceSummary } from './trace.ts';

/**
 * The last spans, by trace, in memory. When there is no room for one more, the trace goes that has waited longest for
 * a span; a trace that alone fills the store gets no further ones.
 */
export class TraceStore {
  readonly #maxSpans: number;
  /** Most recently extended last. */
  readonly #traces = new Map<string, Map<string, Span>>();
  #spans = 0;
  #forgotten = 0;

  /**
   * @param maxSpans how many spans are kept
   * @throws {RangeError} unless it is a whole number of at least 1
   */
  constructor(maxSpans: number) {
    if (!Number.isInteger(maxSpans) || maxSpans < 1)
      throw new RangeError(`maxSpans must be a whole number of at least 1, got ${maxSpans}`);
    this.#maxSpans = maxSpans;
  }

  /** Keeps them; a span that is there already (an exporter that tries again) is replaced. Returns how many found no room. */
  add(spans: Span[]): number {
    return spans.filter((span) => !this.#add(span)).length;
  }

  #add(span: Span): boolean {
    const trace = this.#traces.get(span.traceId) ?? new Map<string, Span>();
    // Out and in again: a Map keeps the order of insertion, so the first one is the one to go.
    this.#traces.delete(span.traceId);
    this.#traces.set(span.traceId, trace);
    if (!trace.has(span.spanId)) {
      if (trace.size === this.#maxSpans) return false;
      if (this.#spans === this.#maxSpans) this.#forgetOldest();
      this.#spans += 1;
    }
    trace.set(span.spanId, span);
    return true;
  }

  #forgetOldest(): void {
    const [traceId, trace] = this.#traces.entries().next().value!;
    this.#traces.delete(traceId);
    this.#spans -= trace.size;
    this.#forgotten += trace.size;
  }

  /** Its spans by start, or undefined when none is known. */
  find(traceId: string): Span[] | undefined {
    const trace = this.#traces.get(traceId.toLowerCase());
    return trace && sortSpans(trace.values());
  }

  /** Those that fit, the one that started last first. */
  list(filter: TraceFilter, limit: number): TraceSummary[] {
    return [...this.#traces.values()]
      .map((trace) => [...trace.values()])
      .filter((spans) => fits(spans, filter))
      .map(summarize)
      .sort((a, b) => b.startedAt.localeCompare(a.startedAt))
      .slice(0, limit);
  }

  clear(): void {
    this.#traces.clear();
    this.#spans = 0;
    this.#forgotten = 0;
  }

  /** What it holds, and how many spans went to make room. */
  size(): { traces: number; spans: number; forgotten: number } {
    return { traces: this.#traces.size, spans: this.#spans, forgotten: this.#forgotten };
  }
}
