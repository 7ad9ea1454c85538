import fc from 'fast-check';
import { constant, exponential } from '../backoff.ts';
import { exponentialOpen } from '../breaker.ts';
import type { Clock } from '../clock.ts';
import { pipeline, type Pipeline } from '../pipeline.ts';
import { consecutive, count, decaying, time } from '../window.ts';
import { describe, isFailure, isFailureResult, isWorthARetry, retryAfter } from './work.fixture.ts';

/**
 * A pipeline to be made, as plain data, so that a counterexample can be read. All times in ms. Each kind of wait has last
 * digits of its own (1 time-out, 3 deadline, 7 queue, …), since two that end in the same millisecond may do so in either
 * order, and a schedule ends where that happens.
 */
export type Settings = {
  startMs: number;
  random: number;
  fallback?: 'answers' | 'throws' | 'rejects' | undefined;
  deadlineMs?: number | undefined;
  retry?: RetrySettings | undefined;
  breaker?: BreakerSettings | undefined;
  bulkhead?: { max: number; queue: number; queueTimeoutMs: number | undefined } | undefined;
  timeoutMs?: number | undefined;
};

export type RetrySettings = {
  attempts: number;
  idempotent: boolean;
  backoff: { baseMs: number; factor: number; maxMs: number };
  jitter: 'full' | 'equal' | 'none';
  budget: { ratio: number; perSecond: number } | undefined;
};

export type BreakerSettings = {
  window: { kind: 'count' | 'time' | 'consecutive' | 'decaying'; size: number };
  failureRate: number;
  slowRate: number;
  minCalls: number | undefined;
  slowAfterMs: number | undefined;
  openFor: { baseMs: number; maxMs: number | undefined };
  halfOpen: { calls: number; successes: number; maxWaitMs: number };
};

const perhaps = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const retries: fc.Arbitrary<RetrySettings> = fc.record({
  attempts: fc.integer({ min: 1, max: 4 }),
  idempotent: fc.boolean(),
  backoff: fc.constantFrom(
    { baseMs: 0, factor: 1, maxMs: 0 },
    { baseMs: 248, factor: 1, maxMs: 248 },
    { baseMs: 448, factor: 2, maxMs: 1_448 },
  ),
  jitter: fc.constantFrom('full', 'equal', 'none'),
  budget: perhaps(fc.record({ ratio: fc.constantFrom(0, 0.25, 1), perSecond: fc.constantFrom(0, 1, 2) })),
});

const breakers: fc.Arbitrary<BreakerSettings> = fc
  .record({
    window: fc.oneof(
      fc.record({ kind: fc.constant('count' as const), size: fc.integer({ min: 1, max: 6 }) }),
      fc.record({ kind: fc.constant('time' as const), size: fc.constantFrom(1_000, 5_000) }),
      fc.record({ kind: fc.constantFrom('consecutive', 'decaying'), size: fc.integer({ min: 1, max: 3 }) }),
    ),
    failureRate: fc.constantFrom(0.2, 0.5, 0.6, 1),
    slowRate: fc.constantFrom(0.4, 0.5, 1),
    minCalls: perhaps(fc.integer({ min: 1, max: 4 })),
    slowAfterMs: fc.option(fc.constantFrom(250, 500, 1_000), { nil: undefined, freq: 2 }),
    openFor: fc.record({ baseMs: fc.constantFrom(513, 2_013), maxMs: perhaps(fc.constant(6_013)) }),
    halfOpen: fc
      .record({
        calls: fc.integer({ min: 1, max: 4 }),
        successes: fc.integer({ min: 1, max: 4 }),
        maxWaitMs: fc.constantFrom(1_529, 8_029),
      })
      .map((halfOpen) => ({ ...halfOpen, successes: Math.min(halfOpen.calls, halfOpen.successes) })),
  })
  .map((breaker) => {
    const { window, minCalls, slowAfterMs } = breaker;
    const most = window.kind === 'count' ? window.size : Infinity;
    return {
      ...breaker,
      minCalls: minCalls === undefined ? undefined : Math.min(minCalls, most),
      slowAfterMs: hasRates(window) ? slowAfterMs : undefined,
    };
  });

function hasRates({ kind }: BreakerSettings['window']): boolean {
  return kind === 'count' || kind === 'time';
}

const bulkheads = fc.record({
  max: fc.integer({ min: 1, max: 3 }),
  queue: fc.integer({ min: 0, max: 3 }),
  queueTimeoutMs: perhaps(fc.constantFrom(507, 1_507)),
});

/** Any pipeline, of any of the steps. */
export const anySettings: fc.Arbitrary<Settings> = fc.record({
  startMs: fc.constantFrom(0, 10_000, 123_456),
  random: fc.constantFrom(0, 0.25, 0.5),
  fallback: fc.option(fc.constantFrom('answers', 'throws', 'rejects'), { nil: undefined, freq: 2 }),
  deadlineMs: perhaps(fc.constantFrom(1_503, 3_003)),
  retry: perhaps(retries),
  breaker: fc.option(breakers, { nil: undefined, freq: 6 }),
  bulkhead: perhaps(bulkheads),
  timeoutMs: perhaps(fc.constantFrom(501, 1_001)),
});

/** Those on which a call without a signal takes the short way. */
export const shortSettings: fc.Arbitrary<Settings> = anySettings.map((settings) => ({
  ...settings,
  deadlineMs: undefined,
  timeoutMs: undefined,
}));

export function windowOf({ kind, size }: BreakerSettings['window']) {
  return { count, time, consecutive, decaying }[kind](size);
}

/** The real thing. */
export function build(settings: Settings, clock: Clock): Pipeline {
  const { deadlineMs, retry, breaker, bulkhead, timeoutMs } = settings;
  let built = pipeline({
    name: 'it',
    clock,
    random: () => settings.random,
    isFailure,
    isFailureResult,
  });
  if (settings.fallback) built = built.fallback((failure) => fallBack(settings.fallback!, failure));
  if (deadlineMs !== undefined) built = built.deadline(deadlineMs);
  if (retry) {
    const { baseMs, factor, maxMs } = retry.backoff;
    built = built.retry({
      ...retry,
      backoff: baseMs === 0 ? constant(0) : exponential({ base: baseMs, factor, max: maxMs }),
      budget: retry.budget ?? false,
      retryOn: isWorthARetry,
      retryAfter,
    });
  }
  if (breaker) {
    const { openFor, halfOpen, window, slowAfterMs, minCalls, failureRate, slowRate } = breaker;
    const { baseMs, maxMs } = openFor;
    built = built.breaker({
      window: windowOf(window),
      ...(hasRates(window) && { failureRate, slowRate }),
      ...(hasRates(window) && minCalls !== undefined && { minCalls }),
      ...(slowAfterMs !== undefined && { slowAfter: slowAfterMs }),
      openFor: maxMs === undefined ? baseMs : exponentialOpen(baseMs, maxMs),
      halfOpen: { calls: halfOpen.calls, successes: halfOpen.successes, maxWait: halfOpen.maxWaitMs },
    });
  }
  if (bulkhead) {
    const { max, queue, queueTimeoutMs } = bulkhead;
    built = built.bulkhead({
      max,
      queue,
      ...(queueTimeoutMs !== undefined && { queueTimeout: queueTimeoutMs }),
    });
  }
  return timeoutMs === undefined ? built : built.timeout(timeoutMs);
}

const NO_ANSWER = {
  failed: new Error('no answer instead of failed'),
  rejected: new Error('no answer instead of rejected'),
};

function fallBack(
  kind: NonNullable<Settings['fallback']>,
  { status, error }: { status: string; error: unknown },
) {
  if (kind === 'answers') return `instead of ${status} ${describe(error)}`;
  const failure = NO_ANSWER[status as keyof typeof NO_ANSWER];
  if (kind === 'throws') throw failure;
  return Promise.reject(failure);
}
