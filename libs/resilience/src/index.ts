export { adaptive, type AdaptiveBulkhead, type AdaptiveOptions } from './adaptive.ts';
export { constant, exponential, type Backoff, type ExponentialOptions, type Jitter } from './backoff.ts';
export {
  exponentialOpen,
  type BreakerHandle,
  type BreakerOptions,
  type BreakerSnapshot,
  type BreakerState,
  type HalfOpenOptions,
  type OpenFor,
  type StateChangeReason,
} from './breaker.ts';
export { RetryBudget, type BudgetOptions } from './budget.ts';
export type { BulkheadOptions } from './bulkhead.ts';
export type { Chaos, ChaosPlan } from './chaos.ts';
export {
  bulkhead,
  circuitBreaker,
  retry,
  timeout,
  type CircuitBreakerOptions,
  type CommonOptions,
} from './classic.ts';
export { systemClock, type Clock, type SystemClockOptions } from './clock.ts';
export type { CallContext, CallOptions, Work } from './context.ts';
export type { Counts } from './counts.ts';
export { decorators, type AsyncMethod, type Executes, type ResilientMethod } from './decorators.ts';
export type { Duration } from './duration.ts';
export {
  BulkheadFullError,
  CancelledError,
  CircuitOpenError,
  DeadlineExceededError,
  FailedResultError,
  HedgeLostError,
  isRejection,
  QueueTimeoutError,
  RateLimitedError,
  RejectedError,
  ResilienceError,
  TimeoutError,
  type RejectionCode,
  type ResilienceErrorCode,
} from './errors.ts';
export type { Listener, ResilienceEvent, ResilienceEvents, RetryDenial, Status } from './events.ts';
export { knownMistakes, type JudgedSettings } from './mistakes.ts';
export type { Failure, Outcome } from './outcome.ts';
export { pipeline, type Pipeline } from './pipeline.ts';
export type { HedgeOptions, PipelineOptions, RetryOptions } from './plan.ts';
export type { RateLimitOptions } from './rate-limit.ts';
export { parseRetryAfter, readRetryAfter } from './retry-after.ts';
export { consecutive, count, decaying, time, type WindowOptions } from './window.ts';
