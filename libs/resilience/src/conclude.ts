import type { Machine } from './machine.ts';
import { FailedResult, type Failure, type Outcome, type Unsuccessful } from './outcome.ts';
import type { Status } from './events.ts';

/** A call is over. */
export function settle({ name, counts, events }: Machine, status: Status, attempts: number): void {
  if (status === 'ok') counts.ok++;
  else counts[status]++;
  if (events.heard.settled) events.emit('settled', { pipeline: name, status, attempts });
}

/** What a call without a value comes to: its fallback, its outcome as a value, or its error, thrown. */
export function conclude(machine: Machine, result: Unsuccessful, asOutcome: boolean): unknown {
  const { name, fallback, counts, events } = machine;
  const { status } = result;
  if (fallback !== null && (status === 'failed' || status === 'rejected')) {
    counts.fallbacks++;
    if (events.heard.fallback) events.emit('fallback', { pipeline: name, status });
    const failure = result as Failure;
    return asOutcome ? outcomeOf(() => fallback(failure)) : fallback(failure);
  }
  if (asOutcome) return result;
  if (result instanceof FailedResult) return result.value;
  throw result.error;
}

async function outcomeOf(fallback: () => unknown): Promise<Outcome<unknown>> {
  try {
    return { status: 'ok', value: await fallback() };
  } catch (error) {
    return { status: 'failed', error };
  }
}
