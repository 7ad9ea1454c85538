import type { Backoff, Jitter } from './backoff.ts';
import type { Breaker } from './breaker.ts';
import type { RetryBudget } from './budget.ts';
import type { Bulkhead } from './bulkhead.ts';
import type { AdaptiveLimit } from './adaptive.ts';
import type { Chaos } from './chaos.ts';
import type { Clock } from './clock.ts';
import type { Rejection } from './conclude.ts';
import type { Counts } from './counts.ts';
import type { DeadlineList } from './deadlines.ts';
import type { Events } from './events.ts';
import type { Failure, Rejected } from './outcome.ts';
import type { RateLimiter } from './rate-limit.ts';

export type RetryRules = {
  attempts: number;
  idempotent: boolean;
  backoff: Backoff;
  jitter: Jitter;
  budget: RetryBudget | null;
  retryOn: (error: unknown, attempt: number) => boolean;
  retryAfter: (error: unknown) => number | undefined;
  maxRetryAfterMs: number;
};

export type HedgeRules = {
  after: DeadlineList;
  max: number;
  idempotent: boolean;
  budget: RetryBudget | null;
};

/** A pipeline, compiled: every option checked and copied, null for each step that it does not have. */
export type Machine = {
  readonly name: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly isFailure: (error: unknown) => boolean;
  readonly isFailureResult: ((value: unknown) => boolean) | null;
  readonly fallback: ((failure: Failure) => unknown) | null;
  readonly deadline: DeadlineList | null;
  readonly retry: RetryRules | null;
  readonly hedge: HedgeRules | null;
  readonly breaker: Breaker | null;
  readonly bulkhead: Bulkhead | null;
  readonly adaptive: AdaptiveLimit | null;
  readonly limiter: RateLimiter | null;
  readonly timeout: DeadlineList | null;
  readonly chaos: Chaos;
  readonly counts: Counts;
  readonly events: Events;
  /** Does an attempt need to know when it began, and when it ended? */
  readonly timesStart: boolean;
  readonly timesEnd: boolean;
  /** Is a call one attempt at a time, with no deadline, when its caller has no say in it either? */
  readonly solo: boolean;
  /** And can nothing but its work end it? */
  readonly direct: boolean;
  /** The one for all who find the circuit open. */
  readonly circuitOpen: Rejected;
  readonly circuitOpenOutcome: Promise<Rejected>;
  readonly circuitOpenRejection: Rejection;
};
