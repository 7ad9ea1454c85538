import type { Counter, Meter } from '@opentelemetry/api';
import type { GaugeOptions } from './telemetry.ts';

const READ_TIMEOUT_MS = 1000;

// https://opentelemetry.io/docs/specs/otel/metrics/api/#instrument-name-syntax
const NAME = /^[a-zA-Z][a-zA-Z0-9_.\-/]{0,254}$/;

/** Gauges that are read when metrics are collected, and that cannot hold up a collection. */
export class Gauges {
  readonly #meter: Meter;
  readonly #failures: Counter;
  readonly #names = new Set<string>();

  constructor(meter: Meter) {
    this.#meter = meter;
    this.#failures = meter.createCounter('telemetry.scrape.failures', {
      unit: '{read}',
      description: 'Gauges that could not be read when metrics were collected',
    });
  }

  /** @throws RangeError for a name that is taken or not well formed */
  add(name: string, { unit, description, read }: GaugeOptions): void {
    checkName(name);
    if (this.#names.has(name)) throw new RangeError(`there is a gauge "${name}" already`);
    this.#names.add(name);
    const ask = shared(read);
    this.#meter.createObservableGauge(name, { unit, description }).addCallback(async (result) => {
      try {
        const samples = await within(READ_TIMEOUT_MS, ask());
        if (typeof samples === 'number') result.observe(samples);
        else for (const { value, attributes } of samples) result.observe(value, attributes);
      } catch {
        // Not reported each time, or a database that is away would write a line per gauge and scrape.
        this.#failures.add(1, { metric: name });
      }
    });
  }
}

export function checkName(name: string): void {
  if (!NAME.test(name)) throw new RangeError(`a metric's name must match ${String(NAME)}, got "${name}"`);
}

/** Whoever asks while an answer is under way gets that one: a read that hangs is never begun twice. */
export function shared<T>(read: () => T | Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined;
  return () => {
    underWay ??= (async () => read())().finally(() => (underWay = undefined));
    return underWay;
  };
}

function within<T>(ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
