import type { Alarm, ReferenceTime } from './reference-time.fixture.ts';
import type { BreakerSettings } from './settings.fixture.ts';

type State = 'closed' | 'open' | 'half_open' | 'isolated';
type Result = { failed: boolean; slow: boolean; atMs: number };

/** What a call got when it was let in. */
export type Ticket = { period: Period; state: 'out' | 'good' | 'bad' | 'returned' };

/** The time that it stayed in one state. */
type Period = { state: State; tickets: Ticket[]; results: Result[]; end: Alarm | null };

/** `results` may come from before a restore, so their times are those of the window's tenths. */
export type ReferenceSnapshot = {
  state: State;
  openings: number;
  openForMs: number;
  ages: (Result & { age: number })[];
};

/** The breaker by its rules: it remembers all results, and looks at all of them each time. */
export class ReferenceBreaker {
  readonly #settings: BreakerSettings;
  readonly #time: ReferenceTime;
  readonly #onChange: (change: string) => void;
  #period: Period = { state: 'closed', tickets: [], results: [], end: null };
  /** How often it has opened since it was closed last. */
  #openings = 0;
  static #lists = 0;

  constructor(settings: BreakerSettings, time: ReferenceTime, onChange: (change: string) => void) {
    this.#settings = settings;
    this.#time = time;
    this.#onChange = onChange;
  }

  get state(): State {
    return this.#period.state;
  }

  get retryAfterMs(): number {
    if (this.state === 'isolated') return Infinity;
    return this.state === 'open' ? Math.max(0, this.#period.end!.dueMs - this.#time.nowMs) : 0;
  }

  /** Would it let a call in now? */
  get admits(): boolean {
    if (this.state === 'closed') return true;
    const probes = this.#period.tickets.filter((ticket) => ticket.state !== 'returned');
    return this.state === 'half_open' && probes.length < this.#settings.halfOpen.calls;
  }

  enter(): Ticket | null {
    if (!this.admits) return null;
    const ticket: Ticket = { period: this.#period, state: 'out' };
    if (this.state === 'half_open' && !this.#anyOut) {
      const { maxWaitMs } = this.#settings.halfOpen;
      this.#period.end = this.#time.alarm('half-open', maxWaitMs, () => this.#open('max_wait_over'));
    }
    this.#period.tickets.push(ticket);
    return ticket;
  }

  isOver(ticket: Ticket): boolean {
    return ticket.period !== this.#period;
  }

  giveBack(ticket: Ticket): void {
    ticket.state = 'returned';
    if (!this.isOver(ticket)) this.#callOff();
  }

  get #anyOut(): boolean {
    return this.#period.tickets.some(({ state }) => state === 'out');
  }

  /** Nobody waits for probes when none is out. */
  #callOff(): void {
    if (this.state === 'half_open' && !this.#anyOut && this.#period.end) this.#period.end.calledOff = true;
  }

  record(ticket: Ticket, failed: boolean, tookMs: number): void {
    if (this.isOver(ticket)) return;
    const { slowAfterMs = Infinity, halfOpen } = this.#settings;
    const slow = tookMs > slowAfterMs;
    ticket.state = failed || slow ? 'bad' : 'good';
    this.#callOff();
    this.#period.results.push({ failed, slow, atMs: this.#time.nowMs });
    if (this.state === 'closed') {
      const reason = this.#reasonToOpen();
      if (reason) this.#open(reason);
      return;
    }
    const good = this.#period.tickets.filter(({ state }) => state === 'good').length;
    const bad = this.#period.tickets.filter(({ state }) => state === 'bad').length;
    if (good >= halfOpen.successes) this.#close('probes_succeeded');
    else if (halfOpen.calls - bad < halfOpen.successes) this.#open('probes_failed');
  }

  #reasonToOpen(): string | undefined {
    const { window, failureRate, slowRate } = this.#settings;
    const { results } = this.#period;
    if (window.kind === 'consecutive') {
      const lastGood = results.findLastIndex(({ failed }) => !failed);
      return results.length - 1 - lastGood >= window.size ? 'failures_in_a_row' : undefined;
    }
    if (window.kind === 'decaying') {
      const level = results.reduce((sum, { failed }) => Math.max(0, sum + (failed ? 1 : -1)), 0);
      return level >= window.size ? 'failure_count' : undefined;
    }
    const seen = this.#seen();
    const minCalls = this.#settings.minCalls ?? (window.kind === 'count' ? Math.min(20, window.size) : 20);
    if (seen.length < minCalls) return undefined;
    const failures = seen.filter(({ failed }) => failed).length;
    const slows = seen.filter(({ slow }) => slow).length;
    if (failures > 0 && failures / seen.length >= failureRate) return 'failure_rate';
    return slows > 0 && slows / seen.length >= slowRate ? 'slow_rate' : undefined;
  }

  /** The results that the window shows now. */
  #seen(): Result[] {
    const { kind, size } = this.#settings.window;
    const { results } = this.#period;
    if (kind === 'count') return results.slice(-size);
    return kind === 'time' ? results.filter(({ atMs }) => this.#age(atMs) < 10) : results;
  }

  /** In tenths of the window. */
  #age(atMs: number): number {
    const tenthMs = this.#settings.window.size / 10;
    return Math.floor(this.#time.nowMs / tenthMs) - Math.floor(atMs / tenthMs);
  }

  isolate(): void {
    if (this.state !== 'isolated') this.#change('isolated', 'isolated', null);
  }

  release(): void {
    if (this.state === 'closed') this.#period.results = [];
    else this.#close('released');
  }

  snapshot(): ReferenceSnapshot {
    const ages = this.#seen().map((result) => ({ ...result, age: this.#age(result.atMs) }));
    const openForMs = this.state === 'open' ? this.retryAfterMs : 0;
    return { state: this.state, openings: this.#openings, openForMs, ages };
  }

  restore({ state, openings, openForMs, ages }: ReferenceSnapshot): void {
    this.#openings = openings;
    this.#change(state, 'restored', openForMs);
    if (state !== 'closed') return;
    const tenthMs = this.#settings.window.size / 10;
    const results = ages.map(({ failed, slow, age }) => ({
      failed,
      slow,
      atMs: this.#time.nowMs - age * tenthMs,
    }));
    this.#period.results = results;
  }

  #open(reason: string): void {
    const { baseMs, maxMs = baseMs } = this.#settings.openFor;
    this.#openings++;
    let openForMs = baseMs;
    for (let i = 1; i < this.#openings; i++) openForMs = Math.min(maxMs, openForMs * 2);
    this.#change('open', reason, openForMs);
  }

  #close(reason: string): void {
    this.#openings = 0;
    this.#change('closed', reason, null);
  }

  #change(state: State, reason: string, openForMs: number | null): void {
    const change = `${this.state} > ${state}: ${reason}`;
    if (this.#period.end) this.#period.end.calledOff = true;
    this.#period = { state, tickets: [], results: [], end: null };
    if (state === 'open') {
      const { baseMs, maxMs } = this.#settings.openFor;
      const kind = maxMs === undefined && openForMs === baseMs ? 'open' : `open ${ReferenceBreaker.#lists++}`;
      this.#period.end = this.#time.alarm(kind, openForMs!, () =>
        this.#change('half_open', 'open_time_over', null),
      );
    }
    this.#onChange(change);
  }
}
