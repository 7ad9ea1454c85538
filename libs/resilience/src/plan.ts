import { AdaptiveLimit, type AdaptiveBulkhead } from './adaptive.ts';
import { checkJitter, exponential, type Backoff, type Jitter } from './backoff.ts';
import { Breaker, type BreakerOptions } from './breaker.ts';
import { RetryBudget, type BudgetOptions } from './budget.ts';
import { Bulkhead, type BulkheadOptions } from './bulkhead.ts';
import { Chaos } from './chaos.ts';
import { check, checkWhole } from './check.ts';
import { systemClock, type Clock } from './clock.ts';
import { Rejection } from './conclude.ts';
import { noCounts } from './counts.ts';
import { deadlineList } from './deadlines.ts';
import { toMs, type Duration } from './duration.ts';
import { CircuitOpenError } from './errors.ts';
import { Events } from './events.ts';
import type { HedgeRules, Machine, RetryRules } from './machine.ts';
import { Rejected, type Failure } from './outcome.ts';
import { RateLimiter, type RateLimitOptions } from './rate-limit.ts';
import { readRetryAfter } from './retry-after.ts';

export type PipelineOptions = {
  /** Names the dependency behind it in errors, events and metrics. */
  name: string;
  /** Where it takes time and timers from. Default: the system's monotonic clock, whose timers keep no process alive. */
  clock?: Clock;
  /** In [0, 1); for jitter and chaos. Default `Math.random`. */
  random?: () => number;
  /**
   * Does this error say that the other side fails? False makes the outcome `ignored`: neither counted by the breaker nor
   * retried. Default: every error does.
   */
  isFailure?: (error: unknown) => boolean;
  /** Is this value a failure, such as a response with status 503? Default: none is. */
  isFailureResult?: (value: unknown) => boolean;
};

export type RetryOptions = {
  /** Calls in all, the first one included; a whole number from 1. */
  attempts: number;
  /**
   * May any call through this pipeline be made twice without doing more than once? False: only those that say so, by
   * `idempotent` or an `idempotencyKey` in their own options.
   */
  idempotent: boolean;
  /** Bound of the wait before each retry. Default `exponential({ base: '200ms', max: '5s' })`. */
  backoff?: Backoff;
  /** How much of that bound is left to chance. Default `'full'`. */
  jitter?: Jitter;
  /** Bounds the retries of all calls together. Default 20 % of the calls and 10 per second; false: no bound. */
  budget?: RetryBudget | BudgetOptions | false;
  /** Narrows which failures are worth another attempt. Own rejections and cancels never are. Default: all failures. */
  retryOn?: (error: unknown, attempt: number) => boolean;
  /** How long the other side asks to be left alone, in ms. Default: `readRetryAfter`. */
  retryAfter?: (error: unknown) => number | undefined;
  /** Asked to stay away for longer than this, the call gives up at once. Default 30 s. */
  maxRetryAfter?: Duration;
};

export type HedgeOptions = {
  /** How long an attempt may go without an answer before another one starts beside it. */
  after: Duration;
  /** Additional attempts at most. Default 1. */
  max?: number;
  /** As for `retry`: a call that is not idempotent is not hedged. */
  idempotent: boolean;
  /** Bounds the hedges of all calls together. Default 20 % of the calls and 10 per second; false: no bound. */
  budget?: RetryBudget | BudgetOptions | false;
};

/** The options of each step that was asked for. */
export type Steps = {
  fallback?: (failure: Failure) => unknown;
  deadline?: Duration;
  retry?: RetryOptions;
  hedge?: HedgeOptions;
  breaker?: BreakerOptions;
  bulkhead?: BulkheadOptions | AdaptiveBulkhead;
  rateLimit?: RateLimitOptions;
  timeout?: Duration;
};

/** Outermost first. */
export const ORDER = [
  'fallback',
  'deadline',
  'retry',
  'hedge',
  'breaker',
  'bulkhead',
  'rateLimit',
  'timeout',
] as const satisfies (keyof Steps)[];

/** Checks every option, and makes the state that the calls of one pipeline share. */
export function compile(options: PipelineOptions, steps: Steps): Machine {
  const {
    name,
    clock = systemClock(),
    random = Math.random,
    isFailure = () => true,
    isFailureResult,
  } = options;
  const { deadline, retry, hedge, bulkhead, rateLimit, timeout } = steps;
  const events = new Events();
  const breaker =
    steps.breaker &&
    new Breaker(steps.breaker, clock, (from, to, reason) =>
      events.emit('stateChange', { pipeline: name, from, to, reason }),
    );
  const adaptive = bulkhead && 'kind' in bulkhead ? new AdaptiveLimit(bulkhead) : null;
  const circuitOpen = new Rejected('circuit_open', () => new CircuitOpenError(name, breaker!.retryAfterMs));
  const slow = breaker !== undefined && breaker.slowAfterMs < Infinity;
  return {
    name,
    clock,
    random,
    isFailure,
    isFailureResult: isFailureResult ?? null,
    fallback: steps.fallback ?? null,
    deadline: deadline === undefined ? null : deadlineList(clock, toMs(deadline, 'deadline')),
    retry: retry === undefined ? null : retryRules(retry, clock),
    hedge: hedge === undefined ? null : hedgeRules(hedge, clock),
    breaker: breaker ?? null,
    bulkhead:
      bulkhead === undefined
        ? null
        : new Bulkhead({ ...bulkhead, max: adaptive?.limit ?? (bulkhead as BulkheadOptions).max }, clock),
    adaptive,
    limiter: rateLimit === undefined ? null : new RateLimiter(rateLimit),
    timeout: timeout === undefined ? null : deadlineList(clock, toMs(timeout, 'timeout')),
    chaos: new Chaos(),
    counts: noCounts(),
    events,
    timesStart: timeout !== undefined || slow || adaptive !== null,
    timesEnd: slow || adaptive !== null || breaker?.needsClock === true,
    solo: deadline === undefined && hedge === undefined,
    direct: [timeout, deadline, hedge, rateLimit].every((step) => step === undefined),
    circuitOpen,
    circuitOpenRejection: new Rejection(circuitOpen),
    circuitOpenOutcome: Object.freeze(Promise.resolve(circuitOpen)),
  };
}

function retryRules(options: RetryOptions, clock: Clock): RetryRules {
  const {
    backoff = exponential({ base: '200ms', max: '5s' }),
    jitter = 'full',
    maxRetryAfter = '30s',
  } = options;
  return {
    attempts: checkWhole(options.attempts, 'retry.attempts', 1),
    idempotent: checkIdempotent(options.idempotent, 'retry'),
    backoff,
    jitter: checkJitter(jitter),
    budget: budgetOf(options.budget, clock),
    retryOn: options.retryOn ?? (() => true),
    retryAfter: options.retryAfter ?? readRetryAfter,
    maxRetryAfterMs: toMs(maxRetryAfter, 'retry.maxRetryAfter'),
  };
}

function hedgeRules({ after, max = 1, idempotent, budget }: HedgeOptions, clock: Clock): HedgeRules {
  return {
    after: deadlineList(clock, toMs(after, 'hedge.after')),
    max: checkWhole(max, 'hedge.max', 1),
    idempotent: checkIdempotent(idempotent, 'hedge'),
    budget: budgetOf(budget, clock),
  };
}

function budgetOf(budget: RetryBudget | BudgetOptions | false = {}, clock: Clock): RetryBudget | null {
  if (budget === false) return null;
  return budget instanceof RetryBudget ? budget : new RetryBudget(budget, clock);
}

function checkIdempotent(value: boolean, step: string): boolean {
  const accepted = `true (any call may be made twice) or false (only calls with \`idempotent\` or an \`idempotencyKey\`)`;
  check(typeof value === 'boolean', `${step}.idempotent`, accepted, value);
  return value;
}
