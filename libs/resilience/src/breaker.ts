import { check, checkRate, checkWhole } from './check.ts';
import { inBackground, type Clock } from './clock.ts';
import { DeadlineList, deadlineList, Expiring } from './deadlines.ts';
import { toMs, type Duration } from './duration.ts';
import { count, windowOf, type TripReason, type Window, type WindowOptions } from './window.ts';

export type BreakerOptions = {
  /** Which calls it judges by. Default `count(100)`. */
  window?: WindowOptions;
  /** Share of failures in a `count` or `time` window that opens it, in (0, 1]. Default 0.5. */
  failureRate?: number;
  /** A call that takes longer is slow. Default: none is. */
  slowAfter?: Duration;
  /** Share of slow calls in a `count` or `time` window that opens it, in (0, 1]. Default 1. */
  slowRate?: number;
  /** Fewer calls than this in a `count` or `time` window prove nothing. Default 20, or the size of a smaller window. */
  minCalls?: number;
  /** How long it stays open before it lets probes through, or a function of how often in a row it opened. Default 30 s. */
  openFor?: Duration | OpenFor;
  halfOpen?: HalfOpenOptions;
};

export type HalfOpenOptions = {
  /** Probes in one half-open period: those running, those that succeeded and those that failed. Default 5. */
  calls?: number;
  /** Successes that close it; when so many probes failed that these can't be had, it opens again. Default 3, or `calls` if that is less. */
  successes?: number;
  /** How long probes may be out without a decision, before the circuit is open again. Default 10 s. */
  maxWait?: Duration;
};

/**
 * Milliseconds to stay open, by how often the circuit has opened without closing in between: 1, 2, 3, … Whatever is no
 * number from 0, an exception too, counts as 30 s: a circuit has to open all the same.
 */
export type OpenFor = (opening: number) => number;

/** Stays open for `base`, then twice as long each time that the probes fail, up to `max`. */
export function exponentialOpen(base: Duration, max: Duration): OpenFor {
  const baseMs = toMs(base, 'base');
  const maxMs = toMs(max, 'max');
  check(maxMs >= baseMs, 'max', `at least base (${baseMs} ms)`, max);
  return (opening) => Math.min(maxMs, baseMs * 2 ** (opening - 1));
}

export type BreakerState = 'closed' | 'half_open' | 'open' | 'isolated';

export type StateChangeReason =
  | TripReason
  | 'probes_failed'
  | 'probes_succeeded'
  | 'open_time_over'
  | 'max_wait_over'
  | 'isolated'
  | 'released'
  | 'restored';

/** What `snapshot` gives and `restore` takes: plain JSON, without a point in time, so that any process may restore it. */
export type BreakerSnapshot = {
  state: BreakerState;
  /** How often it has opened without closing in between. */
  openings: number;
  /** What was left of the open time. */
  openForMs: number;
  window: unknown;
};

/** The breaker of a pipeline, as operators and tests see it. */
export interface BreakerHandle {
  readonly state: BreakerState;
  /** Until the first probe may go: 0 when it may go now, Infinity while isolated. */
  readonly retryAfterMs: number;
  /** Opens it by hand: no call goes through, and no probe, until `release`. */
  isolate(): void;
  /** Closes it by hand, whatever its state, with an empty window. */
  release(): void;
  snapshot(): BreakerSnapshot;
  /** @throws TypeError when it is no snapshot */
  restore(snapshot: BreakerSnapshot): void;
}

/** For an `openFor` that can't say. */
const DEFAULT_OPEN_MS = 30_000;

const STATES: readonly BreakerState[] = ['closed', 'half_open', 'open', 'isolated'];

type OnStateChange = (from: BreakerState, to: BreakerState, reason: StateChangeReason) => void;

/**
 * The state machine, without a call in it (Nygard, "Release It!"). Each change of state begins a new era, and a result
 * counts only in the era that let its call in: a late answer from before the outage proves nothing. It moves on by its
 * own, by a timer that all circuits of one clock and duration share, so that refusing a call needs no look at the clock.
 */
export class Breaker extends Expiring implements BreakerHandle {
  era = 0;
  /** What most calls ask, and therefore a field. */
  closed = true;
  readonly slowAfterMs: number;
  readonly needsClock: boolean;
  readonly #clock: Clock;
  readonly #window: Window;
  readonly #openFor: OpenFor;
  readonly #fixedOpenTime: DeadlineList | null;
  readonly #probes: number;
  readonly #successes: number;
  readonly #maxWait: DeadlineList;
  readonly #onChange: OnStateChange;
  #state: BreakerState = 'closed';
  #openings = 0;
  #running = 0;
  #succeeded = 0;
  #failed = 0;

  constructor(options: BreakerOptions, clock: Clock, onChange: OnStateChange) {
    super();
    const { window = count(100), failureRate = 0.5, slowRate = 1, halfOpen = {}, openFor = '30s' } = options;
    const { calls = 5, successes = Math.min(3, calls), maxWait = '10s' } = halfOpen;
    checkRates(window, options);
    const most = window.kind === 'count' ? window.size : Number.MAX_SAFE_INTEGER;
    const minCalls = checkWhole(options.minCalls ?? Math.min(20, most), 'breaker.minCalls', 1, most);
    this.slowAfterMs =
      options.slowAfter === undefined ? Infinity : toMs(options.slowAfter, 'breaker.slowAfter');
    this.needsClock = window.kind === 'time';
    this.#window = windowOf(window, {
      failureRate: checkRate(failureRate, 'breaker.failureRate'),
      slowRate: checkRate(slowRate, 'breaker.slowRate'),
      minCalls,
    });
    this.#probes = checkWhole(calls, 'breaker.halfOpen.calls', 1);
    this.#successes = checkWhole(successes, 'breaker.halfOpen.successes', 1, calls);
    this.#clock = inBackground(clock);
    this.#maxWait = deadlineList(this.#clock, toMs(maxWait, 'breaker.halfOpen.maxWait'));
    this.#fixedOpenTime =
      typeof openFor === 'function' ? null : deadlineList(this.#clock, toMs(openFor, 'breaker.openFor'));
    const fixedMs = this.#fixedOpenTime?.durationMs ?? 0;
    this.#openFor = typeof openFor === 'function' ? openFor : () => fixedMs;
    this.#onChange = onChange;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** True when no call goes through, and asking `tryEnter` is needless. */
  get refuses(): boolean {
    return this.#state !== 'closed' && (this.#state !== 'half_open' || this.#probesAreOut);
  }

  get retryAfterMs(): number {
    if (this.#state === 'isolated') return Infinity;
    return this.#state === 'open' ? Math.max(0, this.dueMs - this.#clock.now()) : 0;
  }

  /** Lets a call in, into the present `era`. A probe takes one of the permits of this half-open period. */
  tryEnter(): boolean {
    if (this.#state === 'closed') return true;
    if (this.#state !== 'half_open' || this.#probesAreOut) return false;
    if (this.#running++ === 0) this.#maxWait.add(this, this.#clock.now());
    return true;
  }

  get #probesAreOut(): boolean {
    return this.#running + this.#succeeded + this.#failed >= this.#probes;
  }

  /** The result of a call that was let in during `era`. */
  record(era: number, failed: boolean, slow: boolean, nowMs: number): void {
    if (era !== this.era) return;
    if (this.#state === 'closed') {
      const reason = this.#window.record(failed, slow, nowMs);
      if (reason !== null) this.#open(reason);
    } else if (this.#state === 'half_open') {
      this.#probeIsBack();
      // A probe that is slow has not shown that the other side is well.
      if (failed || slow) this.#failed++;
      else this.#succeeded++;
      if (this.#succeeded >= this.#successes) this.#close('probes_succeeded');
      else if (this.#failed > this.#probes - this.#successes) this.#open('probes_failed');
    }
  }

  /** A call of `era` that proves nothing either way: a probe's permit goes back. */
  giveBack(era: number): void {
    if (era === this.era && this.#state === 'half_open') this.#probeIsBack();
  }

  #probeIsBack(): void {
    if (--this.#running === 0) this.list?.remove(this);
  }

  isolate(): void {
    if (this.#state !== 'isolated') this.#move('isolated', 'isolated');
  }

  release(): void {
    if (this.#state !== 'closed') this.#close('released');
    else this.#window.clear();
  }

  snapshot(): BreakerSnapshot {
    return {
      state: this.state,
      openings: this.#openings,
      openForMs: this.#state === 'open' ? this.retryAfterMs : 0,
      window: this.#window.save(this.#clock.now()),
    };
  }

  restore({ state, openings, openForMs, window }: BreakerSnapshot): void {
    if (!STATES.includes(state) || !(openings >= 0) || !(openForMs >= 0)) {
      throw new TypeError(
        `this is no snapshot of a breaker: ${JSON.stringify({ state, openings, openForMs })}`,
      );
    }
    this.#openings = openings;
    this.#move(state, 'restored', openForMs);
    if (state === 'closed') this.#window.load(window, this.#clock.now());
  }

  /** The open time, or the time for probes, is over. */
  override expire(): void {
    if (this.#state === 'open') this.#move('half_open', 'open_time_over');
    else this.#open('max_wait_over');
  }

  #open(reason: StateChangeReason): void {
    this.#move('open', reason, this.#nextOpenForMs());
  }

  #nextOpenForMs(): number {
    this.#openings++;
    try {
      const ms = this.#openFor(this.#openings);
      return ms >= 0 ? ms : DEFAULT_OPEN_MS;
    } catch {
      return DEFAULT_OPEN_MS;
    }
  }

  #close(reason: StateChangeReason): void {
    this.#openings = 0;
    this.#move('closed', reason);
  }

  #move(to: BreakerState, reason: StateChangeReason, openForMs = 0): void {
    const from = this.#state;
    this.list?.remove(this);
    this.era++;
    this.#state = to;
    this.closed = to === 'closed';
    this.#running = this.#succeeded = this.#failed = 0;
    if (to === 'open') this.#openTime(openForMs).add(this, this.#clock.now());
    else if (to === 'closed') this.#window.clear();
    this.#onChange(from, to, reason);
  }

  /** Shared where the duration is an option; a computed one would leave a list behind for each value it ever had. */
  #openTime(ms: number): DeadlineList {
    return ms === this.#fixedOpenTime?.durationMs ? this.#fixedOpenTime : new DeadlineList(ms, this.#clock);
  }
}

/** Windows of failures alone have no rates: an option that would do nothing is a misunderstanding. */
function checkRates({ kind }: WindowOptions, options: BreakerOptions): void {
  if (kind === 'count' || kind === 'time') return;
  for (const name of ['failureRate', 'slowRate', 'slowAfter', 'minCalls'] as const) {
    if (options[name] === undefined) continue;
    throw new RangeError(
      `breaker.${name} means nothing with ${kind}(); use count() or time(), or leave it out`,
    );
  }
}
