import type { AdaptiveBulkhead } from './adaptive.ts';
import type { BreakerOptions, HalfOpenOptions } from './breaker.ts';
import { RetryBudget, type BudgetOptions } from './budget.ts';
import type { BulkheadOptions } from './bulkhead.ts';
import type { CircuitBreakerOptions } from './classic.ts';
import type { HedgeOptions, PipelineOptions, RetryOptions } from './plan.ts';
import type { RateLimitOptions } from './rate-limit.ts';

/** Every option there is. The compiler holds it against the types. */
const KNOWN = {
  pipeline: { name: 1, clock: 1, random: 1, isFailure: 1, isFailureResult: 1 } satisfies All<PipelineOptions>,
  retry: {
    attempts: 1,
    idempotent: 1,
    backoff: 1,
    jitter: 1,
    budget: 1,
    retryOn: 1,
    retryAfter: 1,
    maxRetryAfter: 1,
  } satisfies All<RetryOptions>,
  hedge: { after: 1, max: 1, idempotent: 1, budget: 1 } satisfies All<HedgeOptions>,
  budget: { ratio: 1, perSecond: 1 } satisfies All<BudgetOptions>,
  breaker: {
    window: 1,
    failureRate: 1,
    slowAfter: 1,
    slowRate: 1,
    minCalls: 1,
    openFor: 1,
    halfOpen: 1,
  } satisfies All<BreakerOptions>,
  'breaker.halfOpen': { calls: 1, successes: 1, maxWait: 1 } satisfies All<HalfOpenOptions>,
  circuitBreaker: {
    failureThreshold: 1,
    recoveryTimeout: 1,
    halfOpenMaxCalls: 1,
    successThreshold: 1,
    decay: 1,
  } satisfies All<Omit<CircuitBreakerOptions, keyof PipelineOptions>>,
  bulkhead: { max: 1, queue: 1, queueTimeout: 1 } satisfies All<BulkheadOptions>,
  'adaptive bulkhead': {
    kind: 1,
    min: 1,
    max: 1,
    initial: 1,
    queue: 1,
    queueTimeout: 1,
    tolerance: 1,
  } satisfies All<AdaptiveBulkhead>,
  rateLimit: { limit: 1, per: 1, burst: 1, maxWait: 1 } satisfies All<RateLimitOptions>,
};

type All<Options> = Record<keyof Options, 1>;

/**
 * Copies options, so that nobody changes them behind our back.
 *
 * @throws RangeError when one has a name that there is not: misspelt, it would silently be its default
 */
export function copyOptions<O extends object>(step: keyof typeof KNOWN, options: O): O {
  const known = KNOWN[step];
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(known, name)) {
      throw new RangeError(`${step} has no option "${name}". There are: ${Object.keys(known).join(', ')}`);
    }
  }
  return { ...options };
}

/** The same for a step with a budget. One that pipelines share stays the one that they share. */
export function copyWithBudget<O extends RetryOptions | HedgeOptions>(
  step: 'retry' | 'hedge',
  options: O,
): O {
  const copy = copyOptions(step, options);
  const { budget } = copy;
  if (budget && !(budget instanceof RetryBudget)) copy.budget = copyOptions('budget', budget);
  return copy;
}

/** The options of the pipeline, and those of its one step. */
export function splitOptions<O extends Partial<PipelineOptions>>(
  options: O,
): [Partial<PipelineOptions>, Omit<O, keyof PipelineOptions>] {
  const isCommon = ([name]: [string, unknown]) => Object.hasOwn(KNOWN.pipeline, name);
  const entries = Object.entries(options);
  const own = entries.filter((entry) => !isCommon(entry));
  return [
    Object.fromEntries(entries.filter(isCommon)),
    Object.fromEntries(own) as Omit<O, keyof PipelineOptions>,
  ];
}
