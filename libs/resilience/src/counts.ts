import type { RejectionCode } from './errors.ts';
import type { RetryDenial } from './events.ts';

/** What a pipeline has counted since it was made, and its gauges. */
export type Counts = {
  /** Calls begun. */
  calls: number;
  /** Calls by how they ended, before their fallback. */
  ok: number;
  failed: number;
  ignored: number;
  cancelled: number;
  rejected: number;
  /** Attempts that were not made, by reason. */
  rejections: Record<RejectionCode, number>;
  /** Attempts made. */
  attempts: number;
  retries: number;
  /** Retries that would have been made, by the reason why they were not. */
  retriesDenied: Record<RetryDenial, number>;
  hedges: number;
  /** Attempts that timed out. */
  timeouts: number;
  /** Calls that ran past their deadline. */
  deadlines: number;
  fallbacks: number;
  /** Listeners that threw or rejected. */
  listenerErrors: number;
  /** Gauge: attempts whose work has not settled yet, the abandoned ones included. */
  running: number;
  /** Gauge: attempts that wait for a place in the bulkhead. */
  queued: number;
  /** Gauge: attempts that were given up (time-out, deadline, cancel, hedge) while their work still runs. */
  abandoned: number;
};

export function noCounts(): Counts {
  return {
    calls: 0,
    ok: 0,
    failed: 0,
    ignored: 0,
    cancelled: 0,
    rejected: 0,
    rejections: { circuit_open: 0, bulkhead_full: 0, queue_timeout: 0, rate_limited: 0 },
    attempts: 0,
    retries: 0,
    retriesDenied: { not_idempotent: 0, budget: 0, deadline: 0, retry_after: 0, nested: 0 },
    hedges: 0,
    timeouts: 0,
    deadlines: 0,
    fallbacks: 0,
    listenerErrors: 0,
    running: 0,
    queued: 0,
    abandoned: 0,
  };
}
