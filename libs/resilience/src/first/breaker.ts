import { CircuitOpenError } from './errors.ts';
import { never, type Policy } from './policy.ts';

export type BreakerOptions = {
  name: string;
  /** Failures in a row that open the circuit. */
  failures: number;
  /** How long it stays open before it lets probes through. */
  openMs: number;
  /** Probes at a time while half-open, and successes in a row that close it. */
  probes: number;
  /** What counts as a failure of the other side. Default: everything that says `transient: true`. */
  isFailure?: (error: unknown) => boolean;
  /** Monotonic milliseconds. */
  now?: () => number;
};

export type BreakerState = 'closed' | 'open' | 'half_open';
export type CircuitBreaker = Policy & { readonly state: BreakerState };

type State =
  | { name: 'closed'; era: number; failures: number }
  | { name: 'open'; era: number; until: number }
  | { name: 'half_open'; era: number; running: number; successes: number };

/**
 * Stops calling what keeps failing (Nygard, "Release It!"). Each change of state begins a new era, and the result of a
 * call that was let in during an older one is ignored: a late answer from before the outage proves nothing.
 */
export function circuitBreaker(options: BreakerOptions): CircuitBreaker {
  const {
    name,
    failures,
    openMs,
    probes,
    isFailure = saysTransient,
    now = () => performance.now(),
  } = options;
  for (const [key, value] of Object.entries({ failures, openMs, probes })) {
    if (!(value > 0)) throw new RangeError(`${key} must be above 0, got ${value}`);
  }
  let state: State = { name: 'closed', era: 0, failures: 0 };

  const open = () => (state = { name: 'open', era: state.era + 1, until: now() + openMs });
  const close = () => (state = { name: 'closed', era: state.era + 1, failures: 0 });

  /** Lets a call in or throws; returns the era it belongs to. */
  const enter = (): number => {
    if (state.name === 'open') {
      const left = state.until - now();
      if (left > 0) throw new CircuitOpenError(name, left);
      state = { name: 'half_open', era: state.era + 1, running: 0, successes: 0 };
    }
    if (state.name === 'half_open') {
      if (state.running + state.successes >= probes) throw new CircuitOpenError(name, 0);
      state.running++;
    }
    return state.era;
  };

  const settle = (era: number, result: 'ok' | 'failed' | 'ignored') => {
    if (era !== state.era) return;
    if (state.name === 'half_open') {
      state.running--;
      if (result === 'failed') open();
      else if (result === 'ok' && ++state.successes >= probes) close();
    } else if (state.name === 'closed') {
      if (result === 'failed' && ++state.failures >= failures) open();
      else if (result === 'ok') state.failures = 0;
    }
  };

  const policy: Policy = async (call, signal = never) => {
    signal.throwIfAborted();
    const era = enter();
    try {
      const value = await call(signal);
      settle(era, 'ok');
      return value;
    } catch (error) {
      // A caller who gave up says nothing about the other side.
      settle(era, !signal.aborted && isFailure(error) ? 'failed' : 'ignored');
      throw error;
    }
  };
  return Object.defineProperty(policy, 'state', { get: () => state.name }) as CircuitBreaker;
}

function saysTransient(error: unknown): boolean {
  return (error as { transient?: unknown } | null)?.transient === true;
}
