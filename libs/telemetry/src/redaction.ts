import type { Attributes } from '@opentelemetry/api';
import type { Span, SpanProcessor } from '@opentelemetry/sdk-trace';

type Redact = (text: string) => string;

/**
 * Takes secrets out of a span when it ends, before anything that exports sees it. Only spans that are sampled come this
 * far, so it costs nothing for the rest.
 */
export class RedactingProcessor implements SpanProcessor {
  readonly #redact: Redact;
  constructor(redact: Redact) {
    this.#redact = redact;
  }

  onStart(): void {}

  onEnding(span: Span): void {
    const redact = this.#redact;
    const name = redact(span.name);
    if (name !== span.name) span.updateName(name);
    clean(span.attributes, redact);
    for (const { attributes } of span.events) if (attributes) clean(attributes, redact);
    if (span.status.message !== undefined) {
      span.setStatus({ code: span.status.code, message: redact(span.status.message) });
    }
  }

  onEnd(): void {}
  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
}

function clean(attributes: Attributes, redact: Redact): void {
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'string') attributes[key] = redact(value);
    else if (Array.isArray(value)) {
      attributes[key] = value.map((item) => (typeof item === 'string' ? redact(item) : item)) as string[];
    }
  }
}
