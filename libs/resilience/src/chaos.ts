import { check, checkRate } from './check.ts';
import { toMs, type Duration } from './duration.ts';

/** What shall go wrong. Every rate is a share of calls in (0, 1], default 1. */
export type ChaosPlan = {
  /** Calls that wait `delay` before they go on. */
  latency?: { delay: Duration; rate?: number };
  /** Calls that are not made but fail with what `error` returns. Drawn before `outcome`. */
  fault?: { error: () => unknown; rate?: number };
  /** Calls that are not made but answer what `value` returns. */
  outcome?: { value: () => unknown; rate?: number };
};

type Plan = Readonly<{
  latency: { delayMs: number; rate: number } | null;
  fault: { error: () => unknown; rate: number } | null;
  outcome: { value: () => unknown; rate: number } | null;
}>;

/**
 * Failures on purpose, to see whether the rest of a pipeline copes: off until `set`, off again after `clear`, both at
 * any time. A call follows the plan it began with. After the chaos strategies of Polly
 * (https://www.pollydocs.org/chaos/).
 */
export class Chaos {
  #plan: Plan | null = null;

  /** Whether any call would be disturbed. False by default. */
  get active(): boolean {
    return this.#plan !== null;
  }

  /**
   * Replaces the plan, as a whole. The plan is copied; an empty one is the same as `clear()`.
   *
   * @throws RangeError when a delay is no duration, a rate not in (0, 1], error or value no function, or when it plans
   *   what there is not: a misspelt plan would do nothing, and look like proof of resilience
   */
  set(plan: ChaosPlan): void {
    const { latency, fault, outcome, ...unknown } = plan;
    check(
      Object.keys(unknown).length === 0,
      'chaos',
      'made of latency, fault and outcome',
      Object.keys(unknown)[0],
    );
    const next: Plan = {
      latency: latency
        ? { delayMs: toMs(latency.delay, 'latency.delay'), rate: rateOf(latency, 'latency.rate') }
        : null,
      fault: fault ? { error: fault.error, rate: rateOf(fault, 'fault.rate') } : null,
      outcome: outcome ? { value: outcome.value, rate: rateOf(outcome, 'outcome.rate') } : null,
    };
    if (fault) check(typeof fault.error === 'function', 'fault.error', 'a function', fault.error);
    if (outcome) check(typeof outcome.value === 'function', 'outcome.value', 'a function', outcome.value);
    this.#plan = latency || fault || outcome ? next : null;
  }

  /** Leaves all calls alone from now on. */
  clear(): void {
    this.#plan = null;
  }

  /**
   * One call, disturbed as planned: latency first, then a fault, an outcome or the real call.
   *
   * @param tools.wait its rejection (the call was aborted) becomes that of the call, which is not made then
   */
  async around<T>(
    run: () => T | PromiseLike<T>,
    tools: { random(): number; wait(ms: number): Promise<void> },
  ): Promise<T> {
    const { latency, fault, outcome } = this.#plan ?? CALM;
    if (latency !== null && tools.random() < latency.rate) await tools.wait(latency.delayMs);
    if (fault !== null && tools.random() < fault.rate) throw fault.error();
    if (outcome !== null && tools.random() < outcome.rate) return outcome.value() as T;
    return run();
  }
}

const CALM: Plan = { latency: null, fault: null, outcome: null };

function rateOf({ rate = 1 }: { rate?: number }, name: string): number {
  return checkRate(rate, name);
}
