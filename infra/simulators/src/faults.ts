import { z } from 'zod';
import type { Random } from './random.ts';

const rate = z.number().min(0).max(1);
const milliseconds = z.int().min(0).max(600_000);

/** What can go wrong, switchable at run time. A rate is the share of calls it strikes, in [0, 1]. */
export const faultsSchema = z.strictObject({
  /** Added to every call. */
  latencyMs: milliseconds,
  /** Up to this much more, evenly distributed. */
  latencyJitterMs: milliseconds,
  /** 429 with `Retry-After: 1`, before anything happens. */
  rateLimitRate: rate,
  /** 503, before anything happens. */
  errorRate: rate,
  /** No answer until the client gives up; nothing happens. */
  hangRate: rate,
  /** A good card is declined. */
  declineRate: rate,
  /** A refund is refused, with 422: nothing is given back. */
  refuseRefundRate: rate,
  /** 500 although the charge or refund was done. */
  errorAfterCaptureRate: rate,
  /** No answer until the client gives up although the charge or refund was done. */
  hangAfterCaptureRate: rate,
});

export const faultsPatchSchema = faultsSchema.partial();

export type Faults = z.infer<typeof faultsSchema>;

export const noFaults: Readonly<Faults> = Object.freeze({
  latencyMs: 0,
  latencyJitterMs: 0,
  rateLimitRate: 0,
  errorRate: 0,
  hangRate: 0,
  declineRate: 0,
  refuseRefundRate: 0,
  errorAfterCaptureRate: 0,
  hangAfterCaptureRate: 0,
});

/** What one call will meet. */
export type Fate = {
  delayMs: number;
  before: 'pass' | 'rate-limit' | 'error' | 'hang';
  forceDecline: boolean;
  refuseRefund: boolean;
  after: 'pass' | 'error' | 'hang';
};

/** Draws the same count of numbers for every call, so that switching one fault leaves the others' sequence alone. */
export function drawFate(faults: Faults, random: Random): Fate {
  const jitter = random();
  const strikes = (share: number): boolean => random() < share;
  const rateLimit = strikes(faults.rateLimitRate);
  const error = strikes(faults.errorRate);
  const hang = strikes(faults.hangRate);
  const forceDecline = strikes(faults.declineRate);
  const errorAfter = strikes(faults.errorAfterCaptureRate);
  const hangAfter = strikes(faults.hangAfterCaptureRate);
  const refuseRefund = strikes(faults.refuseRefundRate);
  return {
    delayMs: Math.round(faults.latencyMs + jitter * faults.latencyJitterMs),
    before: rateLimit ? 'rate-limit' : error ? 'error' : hang ? 'hang' : 'pass',
    forceDecline,
    refuseRefund,
    after: errorAfter ? 'error' : hangAfter ? 'hang' : 'pass',
  };
}
