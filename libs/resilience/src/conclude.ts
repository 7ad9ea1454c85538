import type { Counts } from './counts.ts';
import type { Machine } from './machine.ts';
import { FailedResult, type Failure, type Outcome, type Unsuccessful } from './outcome.ts';
import type { Status } from './events.ts';

/** A call is over. */
export function settle({ name, counts, events }: Machine, status: Status, attempts: number): void {
  countStatus(counts, status);
  if (events.heard.settled) events.emit('settled', { pipeline: name, status, attempts });
}

/** By name: a computed property costs more than the call that is counted. */
function countStatus(counts: Counts, status: Status): void {
  if (status === 'ok') counts.ok++;
  else if (status === 'rejected') counts.rejected++;
  else if (status === 'failed') counts.failed++;
  else if (status === 'ignored') counts.ignored++;
  else counts.cancelled++;
}

/** What a call without a value comes to: its fallback, its outcome as a value, or its error, as a rejection. */
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
  return new Rejection(result);
}

/**
 * Rejects the promise that is resolved with it, or whose continuation answers it: a microtask later, when the caller has
 * had time to attach a handler. To throw from a continuation costs twice as much as all that it ends, and so does a
 * rejection that nobody handles yet, which goes through the runtime's bookkeeping of such.
 */
export class Rejection {
  declare private readonly result: Unsuccessful;

  constructor(result: Unsuccessful) {
    this.result = result;
  }

  then(_: unknown, reject: (error: unknown) => void): void {
    reject(this.result.error);
  }
}

async function outcomeOf(fallback: () => unknown): Promise<Outcome<unknown>> {
  try {
    return { status: 'ok', value: await fallback() };
  } catch (error) {
    return { status: 'failed', error };
  }
}
