export type Step = { atMs: number; replica: string; what: string; why?: string };

/** What was done to which replica, and when, in ms since the start of the phase. */
export class Timeline {
  readonly steps: Step[] = [];
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  mark(replica: string, what: string, why?: string): Step {
    const step = { atMs: Math.round(this.#nowMs()), replica, what, ...(why && { why }) };
    this.steps.push(step);
    return step;
  }

  /** The last step before `fromMs` and all up to `toMs`: "a: SIGTERM → a: out of the balancer". */
  during(fromMs: number, toMs: number): string {
    const before = this.steps.filter(({ atMs }) => atMs <= fromMs).slice(-1);
    const within = this.steps.filter(({ atMs }) => atMs > fromMs && atMs <= toMs);
    return [...before, ...within].map(({ replica, what }) => `${replica}: ${what}`).join(' → ');
  }

  /** When `what` happened to the replica first at or after `sinceMs`. */
  first(replica: string, what: string, sinceMs: number): number | undefined {
    return this.steps.find((s) => s.replica === replica && s.what === what && s.atMs >= sinceMs)?.atMs;
  }
}
