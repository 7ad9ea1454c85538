import type { AdaptiveBulkhead } from './adaptive.ts';
import type { OpenFor } from './breaker.ts';
import type { BulkheadOptions } from './bulkhead.ts';
import { checkWhole } from './check.ts';
import type { Duration } from './duration.ts';
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
  /** Successful probes that close it, at most `halfOpenMaxCalls`. Default 2. */
  successThreshold?: number;
  /** True: a success takes one from the failure count, in place of setting it to 0. Default false. */
  decay?: boolean;
};

/** A circuit breaker by itself, with the parameters of Nygard's "Release It!". */
export function circuitBreaker(options: CircuitBreakerOptions = {}): Pipeline {
  const { failureThreshold = 5, recoveryTimeout = '30s', decay = false } = options;
  const { halfOpenMaxCalls = 3, successThreshold = Math.min(2, halfOpenMaxCalls) } = options;
  checkWhole(failureThreshold, 'failureThreshold', 1);
  checkWhole(halfOpenMaxCalls, 'halfOpenMaxCalls', 1);
  checkWhole(successThreshold, 'successThreshold', 1, halfOpenMaxCalls);
  return pipeline(common(options, 'circuit breaker')).breaker({
    window: decay ? decaying(failureThreshold) : consecutive(failureThreshold),
    openFor: recoveryTimeout,
    halfOpen: { calls: halfOpenMaxCalls, successes: successThreshold },
  });
}

/** A retry by itself. */
export function retry(options: RetryOptions & CommonOptions): Pipeline {
  return pipeline(common(options, 'retry')).retry(options);
}

/** A bulkhead by itself. */
export function bulkhead(options: (BulkheadOptions | AdaptiveBulkhead) & CommonOptions): Pipeline {
  return pipeline(common(options, 'bulkhead')).bulkhead(options);
}

/** A time-out by itself. */
export function timeout(duration: Duration, options: CommonOptions = {}): Pipeline {
  return pipeline(common(options, 'timeout')).timeout(duration);
}

function common(
  { name, clock, random, isFailure, isFailureResult }: CommonOptions,
  form: string,
): PipelineOptions {
  return {
    name: name ?? form,
    ...(clock && { clock }),
    ...(random && { random }),
    ...(isFailure && { isFailure }),
    ...(isFailureResult && { isFailureResult }),
  };
}
