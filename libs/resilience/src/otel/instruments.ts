import type { Meter } from '@opentelemetry/api';

export type Instruments = ReturnType<typeof instrumentsOf>;

/** Names and units after the semantic conventions (https://opentelemetry.io/docs/specs/semconv/general/metrics/). */
export function instrumentsOf(meter: Meter) {
  const counter = (name: string, unit: string, description: string) =>
    meter.createObservableCounter(`resilience.${name}`, { unit, description });
  // Goes up and down, and means something when it is summed over pipelines and processes.
  const sum = (name: string, unit: string, description: string) =>
    meter.createObservableUpDownCounter(`resilience.${name}`, { unit, description });
  return {
    calls: counter('calls', '{call}', 'Calls by how they ended, before their fallback'),
    attempts: counter('attempts', '{attempt}', 'Attempts made'),
    retries: counter('retries', '{retry}', 'Attempts after one that failed'),
    retriesDenied: counter('retries.denied', '{retry}', 'Retries that were not made, by reason'),
    rejections: counter('rejections', '{attempt}', 'Attempts that were not let through, by reason'),
    timeouts: counter('timeouts', '{attempt}', 'Attempts that timed out'),
    deadlines: counter('deadlines', '{call}', 'Calls that ran past their deadline'),
    hedges: counter('hedges', '{attempt}', 'Attempts beside one that had not answered yet'),
    fallbacks: counter('fallbacks', '{call}', 'Calls that were answered by their fallback'),
    listenerErrors: counter('listener_errors', '{error}', 'Listeners that threw or rejected'),
    running: sum('attempts.running', '{attempt}', 'Attempts whose work has not settled yet'),
    queued: sum('attempts.queued', '{attempt}', 'Attempts that wait for a place in the bulkhead'),
    abandoned: sum('attempts.abandoned', '{attempt}', 'Attempts given up while their work still runs'),
    circuitState: sum('circuit.state', '{circuit}', '1 for the state that the circuit is in, 0 for others'),
  };
}
