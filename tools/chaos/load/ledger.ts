import type { PlannedRequest } from './requests.ts';

/** What became of one request. Times in ms; `atMs` is when it was due, since the start of the phase. */
export type Outcome = {
  request: PlannedRequest;
  atMs: number;
  /** From when it was due until its reply was complete: waiting to be sent counts. */
  tookMs: number;
  /** How much of that was the caller's own delay: it wants a machine that is not too busy to send. */
  lateMs: number;
  status?: number;
  /** What broke before a reply was complete. */
  error?: string;
  /** Who answered, as the balancer says. */
  replica?: string;
};

/** What the balancer saw of a request that a replica did not answer. */
export type UpstreamFailure = {
  id: string;
  replica: string;
  error: string;
  during: 'request' | 'response';
  reusedSocket: boolean;
};

export type Failure = {
  id: string;
  at: string;
  atMs: number;
  tookMs: number;
  request: string;
  expected: number;
  got: string;
  replica: string;
  upstream: string;
  /** What was being done to the replicas when the request was due, and when it failed. */
  step: string;
};

export type Summary = {
  requests: number;
  failed: number;
  /** Due arrivals per second. */
  ratePerS: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  /** 99th percentile of `lateMs`. */
  lateP99Ms: number;
  byReplica: Record<string, number>;
  byKind: Record<string, number>;
};

/** Every request of a phase, and every failure with what is needed to understand it. */
export class Ledger {
  readonly failures: Failure[] = [];
  readonly #began: Date;
  readonly #times: number[] = [];
  readonly #late: number[] = [];
  readonly #byReplica: Record<string, number> = {};
  readonly #byKind: Record<string, number> = {};
  readonly #upstream = new Map<string, UpstreamFailure>();
  #firstAtMs = Infinity;
  #lastAtMs = 0;

  constructor(began = new Date()) {
    this.#began = began;
  }

  get requests(): number {
    return this.#times.length;
  }

  /** The balancer tells this before the caller learns of the failure. */
  upstreamFailed(failure: UpstreamFailure): void {
    this.#upstream.set(failure.id, failure);
  }

  /** `step` says what was under way; asked only when the request failed. Answers whether it was as expected. */
  add(outcome: Outcome, step: (fromMs: number, toMs: number) => string): boolean {
    const { request, atMs, tookMs, status, error } = outcome;
    const upstream = this.#upstream.get(request.id);
    this.#upstream.delete(request.id);
    this.#times.push(tookMs);
    this.#late.push(outcome.lateMs);
    this.#firstAtMs = Math.min(this.#firstAtMs, atMs);
    this.#lastAtMs = Math.max(this.#lastAtMs, atMs);
    count(this.#byKind, request.kind);
    const replica = outcome.replica ?? upstream?.replica ?? 'none';
    count(this.#byReplica, replica);
    const ok = error === undefined && status === request.expected;
    if (!ok) {
      this.failures.push({
        id: request.id,
        at: new Date(this.#began.getTime() + atMs).toISOString(),
        atMs: Math.round(atMs),
        tookMs: Math.round(tookMs),
        request: `${request.method} ${request.path}`,
        expected: request.expected,
        got: error ?? String(status),
        replica,
        upstream: upstream ? describe(upstream) : '',
        step: step(atMs, atMs + tookMs),
      });
    }
    return ok;
  }

  summary(): Summary {
    const sorted = ascending(this.#times);
    return {
      requests: sorted.length,
      failed: this.failures.length,
      ratePerS: sorted.length > 1 ? ((sorted.length - 1) * 1000) / (this.#lastAtMs - this.#firstAtMs) : 0,
      p50Ms: percentile(sorted, 0.5),
      p99Ms: percentile(sorted, 0.99),
      maxMs: sorted.at(-1) ?? NaN,
      lateP99Ms: percentile(ascending(this.#late), 0.99),
      byReplica: { ...this.#byReplica },
      byKind: { ...this.#byKind },
    };
  }

  /** Failures by what they were, the most frequent first. */
  reasons(): string[] {
    const reasons: Record<string, number> = {};
    for (const { got, upstream } of this.failures) count(reasons, upstream ? `${got} (${upstream})` : got);
    return Object.entries(reasons)
      .sort(([, one], [, other]) => other - one)
      .map(([reason, times]) => `${times} × ${reason}`);
  }
}

const ascending = (values: readonly number[]) => [...values].sort((a, b) => a - b);

/** Nearest rank; NaN of nothing. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

const describe = ({ error, during, reusedSocket }: UpstreamFailure) =>
  `${error} in the ${during} on a ${reusedSocket ? 'reused' : 'new'} connection`;

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
