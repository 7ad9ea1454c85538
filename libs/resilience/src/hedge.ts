import type { Attempt, AttemptOwner } from './attempt.ts';
import type { Call } from './call.ts';
import { Expiring } from './deadlines.ts';
import { HedgeLostError } from './errors.ts';
import { gate, nothing, rejectNew, resolveNew, type Settle } from './gate.ts';
import type { HedgeRules } from './machine.ts';
import type { Unsuccessful } from './outcome.ts';

/**
 * Attempts in parallel: another one starts each time that none has answered for a while, the first value wins, and the
 * others are aborted (Dean and Barroso, "The Tail at Scale", 2013). It fails when all have failed.
 */
export class HedgeRound extends Expiring implements AttemptOwner {
  readonly #call: Call;
  readonly #rules: HedgeRules;
  readonly #live = new Set<Attempt>();
  #hedges = 0;
  #result: Unsuccessful | null = null;
  #over = false;
  #interrupted = false;
  #resolve: Settle = nothing;
  #reject: Settle = nothing;
  #goOn: Settle = nothing;

  constructor(call: Call, rules: HedgeRules) {
    super();
    this.#call = call;
    this.#rules = rules;
  }

  get deadlineAt(): number {
    return this.#call.deadlineAt;
  }

  get cancelled(): boolean {
    return this.#call.cancelled;
  }

  start(): Promise<unknown> {
    const race = gate();
    this.#resolve = resolveNew;
    this.#reject = rejectNew;
    this.#arm();
    this.#launch();
    return race.then(
      (value) => this.#call.succeeded(this, value),
      (result) => this.#call.ended(this, result as Unsuccessful),
    );
  }

  interrupt(why: Unsuccessful): void {
    this.#interrupted = true;
    this.list?.remove(this);
    for (const attempt of this.#live) attempt.interrupt(why);
  }

  succeeded(winner: Attempt, value: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.list?.remove(this);
    this.#live.delete(winner);
    const lost = { status: 'cancelled', error: new HedgeLostError(this.#call.machine.name) } as const;
    for (const loser of this.#live) loser.interrupt(lost);
    this.#resolve(value);
  }

  ended(attempt: Attempt, result: Unsuccessful): void {
    this.#live.delete(attempt);
    if (this.#over) return;
    // That a parallel attempt was not let in says less than what became of one that was made.
    if (this.#result === null || result.status !== 'rejected') this.#result = result;
    if (this.#live.size > 0) return;
    this.#over = true;
    this.list?.remove(this);
    this.#reject(this.#result);
  }

  /** Nothing has come back for a while. */
  override expire(): void {
    this.#goOn();
  }

  #arm(): void {
    if (this.#hedges >= this.#rules.max) return;
    const goOn = gate();
    this.#goOn = resolveNew;
    this.#rules.after.add(this, this.#call.machine.clock.now());
    void goOn.then(() => this.#hedge());
  }

  #hedge(): void {
    const { name, counts, events } = this.#call.machine;
    if (this.#over || this.#interrupted) return;
    if (this.#rules.budget !== null && !this.#rules.budget.tryWithdraw()) return;
    this.#hedges++;
    counts.hedges++;
    if (events.heard.hedge) events.emit('hedge', { pipeline: name, attempt: this.#call.attempts + 1 });
    this.#arm();
    this.#launch();
  }

  #launch(): void {
    const attempt = this.#call.newAttempt(this);
    this.#live.add(attempt);
    void attempt.start();
  }
}
