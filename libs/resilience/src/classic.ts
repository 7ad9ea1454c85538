import type { AdaptiveBulkhead } from './adaptive.ts';
import type { OpenFor } from './breaker.ts';
import type { BulkheadOptions } from './bulkhead.ts';
import { checkWhole } from './check.ts';
import type { Duration } from './duration.ts';
import { copyOptions, splitOptions } from './known-options.ts';
import { pipeline, type Pipeline } from './pipeline.ts';
import type { PipelineOptions, RetryOptions } from './plan.ts';
import { consecutive, decaying } from './window.ts';

/** What every form takes besides its own options. Default name: that of the form. */
export type CommonOptions = Partial<PipelineOptions>;

export type CircuitBreakerOptions = CommonOptions & {
  /** Failures in a row (with `decay`: failure count) that open it. Default 5. */
  failureThreshold?: number;
  /** How long it stays open before it lets probes through. Default 30 s. */
  recoveryTimeout?: Duration | OpenFor;
  /** Probes in one half-open period. Default 3. */
  halfOpenMaxCalls?: number;
  /** Successful probes that close it, at most `halfOpenMaxCalls`. Default 2, or `halfOpenMaxCalls` if that is 1. */
  successThreshold?: number;
  /** True: a success takes one from the failure count, in place of setting it to 0. Default false. */
  decay?: boolean;
};

/** A circuit breaker by itself, with the parameters of Nygard's "Release It!". */
export function circuitBreaker(options: CircuitBreakerOptions = {}): Pipeline {
  const [common, own] = splitOptions(options);
  const { failureThreshold = 5, recoveryTimeout = '30s', decay = false } = copyOptions('circuitBreaker', own);
  const { halfOpenMaxCalls = 3, successThreshold = Math.min(2, halfOpenMaxCalls) } = own;
  checkWhole(failureThreshold, 'failureThreshold', 1);
  checkWhole(halfOpenMaxCalls, 'halfOpenMaxCalls', 1);
  checkWhole(successThreshold, 'successThreshold', 1, halfOpenMaxCalls);
  return pipeline({ name: 'circuit breaker', ...common }).breaker({
    window: decay ? decaying(failureThreshold) : consecutive(failureThreshold),
    openFor: recoveryTimeout,
    halfOpen: { calls: halfOpenMaxCalls, successes: successThreshold },
  });
}

/** A retry by itself. */
export function retry(options: RetryOptions & CommonOptions): Pipeline {
  const [common, own] = splitOptions(options);
  return pipeline({ name: 'retry', ...common }).retry(own);
}

/** A bulkhead by itself. */
export function bulkhead(options: (BulkheadOptions | AdaptiveBulkhead) & CommonOptions): Pipeline {
  const [common, own] = splitOptions(options);
  return pipeline({ name: 'bulkhead', ...common }).bulkhead(own);
}

/** A time-out by itself. */
export function timeout(duration: Duration, options: CommonOptions = {}): Pipeline {
  return pipeline({ name: 'timeout', ...options }).timeout(duration);
}
