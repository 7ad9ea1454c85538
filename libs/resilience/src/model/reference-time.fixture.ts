/** Two things are due at the same time, and no rule says which comes first. */
export class Ambiguous extends Error {}

/** Something that will happen at a time, unless it is called off. */
export type Alarm = { kind: string; dueMs: number; calledOff: boolean; ring: () => void };

/** The waits that have no list, but a timer of their own. All others of a kind that are due are served together. */
const ONE_BY_ONE = ['back-off', "caller's deadline"];

/** Time for the reference model: a plain list of what is due, and one of what follows from what happens now. */
export class ReferenceTime {
  nowMs: number;
  #alarms: Alarm[] = [];
  readonly #next: (() => void)[] = [];

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  alarm(kind: string, inMs: number, ring: () => void): Alarm {
    const alarm = { kind, dueMs: this.nowMs + inMs, calledOff: false, ring };
    this.#alarms.push(alarm);
    return alarm;
  }

  /** Happens in the same moment, after what happens already. */
  soon(task: () => void): void {
    this.#next.push(task);
  }

  /** Lets all happen that follows from what has happened. */
  settle(): void {
    for (let task = this.#next.shift(); task; task = this.#next.shift()) task();
  }

  get nextAt(): number {
    return Math.min(...this.#pending().map(({ dueMs }) => dueMs));
  }

  /** @throws Ambiguous */
  advance(ms: number): void {
    const untilMs = this.nowMs + ms;
    while (this.nextAt <= untilMs) {
      this.nowMs = Math.max(this.nowMs, this.nextAt);
      const due = this.#pending().filter(({ dueMs }) => dueMs <= this.nowMs);
      if (due.some(({ kind }) => kind !== due[0]!.kind)) throw new Ambiguous();
      const first = due.toSorted((a, b) => a.dueMs - b.dueMs)[0]!;
      for (const alarm of ONE_BY_ONE.includes(first.kind) ? [first] : due) {
        if (alarm.calledOff) continue;
        alarm.calledOff = true;
        alarm.ring();
      }
      this.settle();
    }
    this.nowMs = untilMs;
  }

  /** How long the event loop may stand still without two kinds of waits being over at its end. */
  longestBlock(ms: number): number {
    const due = this.#pending().toSorted((a, b) => a.dueMs - b.dueMs);
    const other = due.find(({ kind }) => kind !== due[0]!.kind);
    return other ? Math.max(0, Math.min(ms, other.dueMs - this.nowMs - 1)) : ms;
  }

  block(ms: number): void {
    this.nowMs += ms;
    this.advance(0);
  }

  #pending(): Alarm[] {
    return (this.#alarms = this.#alarms.filter(({ calledOff }) => !calledOff));
  }
}
