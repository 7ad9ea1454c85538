import type { CallPlan } from './commands.fixture.ts';
import { ReferenceBreaker } from './reference-breaker.fixture.ts';
import { ReferenceBudget } from './reference-budget.fixture.ts';
import {
  cancelledBy,
  endingOf,
  failure,
  rejection,
  wasRetried,
  type Ending,
  type ReferenceAttempt,
  type ReferenceCall,
} from './reference-call.fixture.ts';
import type { Reference } from './reference.fixture.ts';
import type { Settings } from './settings.fixture.ts';

/** One pipeline, by its rules: lists of all that ever happened, and every number counted again when it is asked for. */
export class ReferenceService {
  readonly breaker: ReferenceBreaker | null;
  readonly #settings: Settings;
  readonly #world: Reference;
  readonly #name: string;
  readonly #queue: ReferenceAttempt[] = [];
  readonly #attempts: ReferenceAttempt[] = [];
  /** What there is to count. */
  readonly #happened: string[] = [];
  readonly #budget: ReferenceBudget;

  constructor(settings: Settings, world: Reference, name: string) {
    this.#settings = settings;
    this.#world = world;
    this.#name = name;
    this.#budget = new ReferenceBudget(settings.retry?.budget, world.time.nowMs);
    this.breaker = settings.breaker
      ? new ReferenceBreaker(settings.breaker, world.time, (change) => this.#tell(`stateChange ${change}`))
      : null;
  }

  counts() {
    const tally = new Map<string, number>();
    for (const what of this.#happened) tally.set(what, (tally.get(what) ?? 0) + 1);
    const times = (what: string) => tally.get(what) ?? 0;
    const each = (...names: string[]) => Object.fromEntries(names.map((name) => [name, times(name)]));
    const all = (list: string, names: string[]) =>
      Object.fromEntries(names.map((name) => [name, times(`${list}.${name}`)]));
    const working = this.#attempts.filter((attempt) => !attempt.workIsDone && attempt.startedAtMs >= 0);
    return {
      ...each('calls', 'ok', 'failed', 'ignored', 'cancelled', 'rejected'),
      rejections: all('rejections', ['circuit_open', 'bulkhead_full', 'queue_timeout', 'rate_limited']),
      ...each('attempts', 'retries'),
      retriesDenied: all('retriesDenied', ['not_idempotent', 'budget', 'deadline', 'retry_after', 'nested']),
      hedges: 0,
      ...each('timeouts', 'deadlines', 'fallbacks'),
      listenerErrors: 0,
      running: working.length,
      queued: this.#queue.length,
      abandoned: working.filter(({ state }) => state === 'given up').length,
    };
  }

  #tell(text: string): void {
    this.#world.log.push(`${this.#world.time.nowMs} ${this.#name} ${text}`);
  }

  call(id: number, plan: CallPlan, aborted: boolean): ReferenceCall {
    const { time } = this.#world;
    const { deadlineMs = Infinity } = this.#settings;
    const callersMs = plan.deadlineInMs ?? Infinity;
    const call: ReferenceCall = {
      ...{
        id,
        service: this,
        plan,
        deadlineAtMs: Infinity,
        deadlineAlarm: null,
        attempts: [],
        backOff: null,
      },
      ...{ interruption: null, over: false },
    };
    this.#happened.push('calls');
    if (!aborted && this.breaker && !this.breaker.admits) {
      this.#refused('circuit_open');
      this.#end(call, { status: 'rejected', error: { text: 'circuit_open' } });
      return call;
    }
    if (aborted) {
      time.soon(() => this.#end(call, cancelledBy(call)));
      return call;
    }
    const inMs = Math.min(deadlineMs, callersMs);
    call.deadlineAtMs = time.nowMs + inMs;
    const late = () => {
      this.#happened.push('deadlines');
      const ending = { ...failure(`deadline_exceeded ${inMs}`) };
      this.interrupt(call, deadlineMs <= callersMs ? ending : { ...ending, status: 'cancelled' });
    };
    if (inMs <= 0) {
      late();
      time.soon(() => this.#end(call, call.interruption!));
      return call;
    }
    const kind = deadlineMs <= callersMs ? 'deadline' : "caller's deadline";
    if (inMs < Infinity) call.deadlineAlarm = time.alarm(kind, inMs, late);
    this.#budget.earn(time.nowMs);
    this.#attempt(call);
    return call;
  }

  cancel(call: ReferenceCall): void {
    if (!call.over) this.interrupt(call, cancelledBy(call));
  }

  /** The first reason stands. */
  interrupt(call: ReferenceCall, why: Ending): void {
    if (call.interruption) return;
    call.interruption = why;
    if (call.backOff) {
      call.backOff.calledOff = true;
      this.#world.time.soon(() => this.#end(call, why));
      return;
    }
    const attempt = call.attempts.at(-1);
    if (attempt) this.#interruptAttempt(attempt, why);
  }

  #interruptAttempt(attempt: ReferenceAttempt, why: Ending): void {
    if (attempt.interruption) return;
    attempt.interruption = why;
    if (attempt.alarm) attempt.alarm.calledOff = true;
    const isQueued = this.#queue.includes(attempt);
    if (isQueued) this.#queue.splice(this.#queue.indexOf(attempt), 1);
    this.#world.time.soon(() => (isQueued ? this.#notMade(attempt, why) : this.#giveUp(attempt, why)));
  }

  #attempt(call: ReferenceCall): void {
    const { time } = this.#world;
    const { bulkhead } = this.#settings;
    const attempt: ReferenceAttempt = {
      ...{
        key: `${call.id}.${call.attempts.length + 1}`,
        call,
        state: 'waiting',
        ticket: null,
        hasPermit: false,
      },
      ...{ startedAtMs: -1, alarm: null, signal: 'not read', interruption: null, workIsDone: false },
    };
    call.attempts.push(attempt);
    this.#attempts.push(attempt);
    if (this.breaker) {
      attempt.ticket = this.breaker.enter();
      if (!attempt.ticket) return time.soon(() => this.#notMade(attempt, rejection('circuit_open')));
    }
    if (!bulkhead) return this.#work(attempt);
    if (this.#permitsOut < bulkhead.max && this.#queue.length === 0) {
      attempt.hasPermit = true;
      return this.#work(attempt);
    }
    if (this.#queue.length >= bulkhead.queue) {
      return time.soon(() => this.#notMade(attempt, rejection('bulkhead_full')));
    }
    this.#queue.push(attempt);
    const { queueTimeoutMs } = bulkhead;
    if (queueTimeoutMs === undefined) return;
    const why = rejection('queue_timeout', ` ${queueTimeoutMs}`);
    attempt.alarm = time.alarm('queue', queueTimeoutMs, () => this.#interruptAttempt(attempt, why));
  }

  get #permitsOut(): number {
    return this.#attempts.filter(({ hasPermit }) => hasPermit).length;
  }

  #releasePermit(attempt: ReferenceAttempt): void {
    attempt.hasPermit = false;
    if (this.#permitsOut >= (this.#settings.bulkhead?.max ?? Infinity)) return;
    const next = this.#queue.shift();
    if (!next) return;
    next.hasPermit = true;
    if (next.alarm) next.alarm.calledOff = true;
    this.#world.time.soon(() => this.#admitted(next));
  }

  /** Its wait in the queue is over; the circuit may have opened since. */
  #admitted(attempt: ReferenceAttempt): void {
    if (attempt.ticket && this.breaker!.isOver(attempt.ticket)) {
      attempt.ticket = this.breaker!.enter();
      if (!attempt.ticket) return this.#notMade(attempt, rejection('circuit_open'));
    }
    this.#work(attempt);
  }

  #refused(code: string): void {
    this.#happened.push(`rejections.${code}`);
    this.#tell(`rejected ${code}`);
  }

  #notMade(attempt: ReferenceAttempt, why: Ending): void {
    attempt.state = 'over';
    if (attempt.ticket) this.breaker!.giveBack(attempt.ticket);
    if (attempt.hasPermit) this.#releasePermit(attempt);
    if (why.code) this.#refused(why.code);
    this.#ended(attempt.call, why);
  }

  #work(attempt: ReferenceAttempt): void {
    const { time } = this.#world;
    const { timeoutMs = Infinity } = this.#settings;
    const { plan, deadlineAtMs } = attempt.call;
    this.#happened.push('attempts');
    attempt.state = 'working';
    attempt.startedAtMs = time.nowMs;
    if (plan.readsSignal) attempt.signal = 'read';
    const remainingMs = Math.max(0, Math.min(timeoutMs, deadlineAtMs - time.nowMs));
    const rest = `${remainingMs} ms left until ${deadlineAtMs}, ${plan.idempotent}`;
    this.#world.log.push(`${time.nowMs} work ${attempt.key}: ${rest}`);
    if (timeoutMs < Infinity)
      attempt.alarm = time.alarm('timeout', timeoutMs, () =>
        this.#interruptAttempt(attempt, failure(`timeout ${timeoutMs}`)),
      );
    if (plan.atOnce && this.#world.isStarting === attempt.call.id) this.workSettled(attempt, plan.atOnce);
  }

  workSettled(attempt: ReferenceAttempt, result: Parameters<typeof endingOf>[0]): void {
    const ending = endingOf(result, attempt.key, this.#world.lastError);
    this.#world.time.soon(() => this.#workIsDone(attempt, ending));
  }

  #workIsDone(attempt: ReferenceAttempt, ending: Ending): void {
    if (attempt.workIsDone) return;
    attempt.workIsDone = true;
    this.#releasePermit(attempt);
    // Whoever has given it up does not want to know any more.
    if (attempt.interruption) return;
    attempt.state = 'over';
    if (attempt.alarm) attempt.alarm.calledOff = true;
    this.#learn(attempt, ending);
    this.#ended(attempt.call, ending);
  }

  /** It ends before its work does. */
  #giveUp(attempt: ReferenceAttempt, why: Ending): void {
    attempt.state = 'given up';
    const [, timeoutMs] = /^timeout (.+)/.exec(why.error!.text) ?? [];
    if (timeoutMs) {
      this.#happened.push('timeouts');
      this.#tell(`timeout of attempt ${attempt.call.attempts.length} after ${timeoutMs}`);
    }
    if (attempt.signal === 'read') {
      attempt.signal = 'aborted';
      this.#world.log.push(`${this.#world.time.nowMs} signal of ${attempt.key} aborted: ${why.error!.text}`);
      if (attempt.call.plan.heedsSignal) this.workSettled(attempt, 'AbortError');
    }
    this.#learn(attempt, why);
    this.#ended(attempt.call, why);
  }

  #learn(attempt: ReferenceAttempt, { status }: Ending): void {
    if (!attempt.ticket) return;
    const proves = status === 'ok' || status === 'failed';
    if (!proves) return this.breaker!.giveBack(attempt.ticket);
    const tookMs = this.#world.time.nowMs - attempt.startedAtMs;
    this.breaker!.record(attempt.ticket, status === 'failed', tookMs);
  }

  #ended(call: ReferenceCall, ending: Ending): void {
    const { retry, random } = this.#settings;
    const { nowMs } = this.#world.time;
    const made = call.attempts.length;
    if (ending.status !== 'failed' || call.interruption || !retry) return this.#end(call, ending);
    if (made >= retry.attempts || ending.retryOn === false) return this.#end(call, ending);
    const { askedMs = 0 } = ending;
    const { baseMs, factor, maxMs } = retry.backoff;
    const boundMs = Math.min(maxMs, baseMs * factor ** (made - 1));
    const part = { none: 1, full: random, equal: (1 + random) / 2 }[retry.jitter];
    const delayMs = askedMs + part * boundMs;
    const text = `attempt ${made}, ${ending.error!.text}`;
    let denial: string | undefined;
    if (!retry.idempotent && call.plan.idempotent === 'no') denial = 'not_idempotent';
    else if (wasRetried(ending.error, this)) denial = 'nested';
    else if (askedMs > 30_000) denial = 'retry_after';
    else if (nowMs + delayMs >= call.deadlineAtMs) denial = 'deadline';
    else if (!this.#budget.affords(nowMs)) denial = 'budget';
    if (denial) {
      this.#happened.push(`retriesDenied.${denial}`);
      this.#tell(`retryDenied ${denial}: ${text}`);
      return this.#end(call, ending);
    }
    this.#budget.spend(nowMs);
    this.#happened.push('retries');
    this.#tell(`retry in ${delayMs}: ${text}`);
    call.backOff = this.#world.time.alarm('back-off', delayMs, () => {
      call.backOff = null;
      this.#world.time.soon(() => this.#attempt(call));
    });
  }

  #end(call: ReferenceCall, ending: Ending): void {
    const { status, error } = ending;
    const { fallback } = this.#settings;
    call.over = true;
    if (call.deadlineAlarm) call.deadlineAlarm.calledOff = true;
    this.#happened.push(status);
    this.#tell(`settled ${status} after ${call.attempts.length}`);
    if (call.attempts.length > 1 && status === 'failed' && !ending.fleeting) error!.retriedBy = this;
    if (!fallback || (status !== 'failed' && status !== 'rejected')) return this.#world.tell(call, ending);
    this.#happened.push('fallbacks');
    this.#tell(`fallback for ${status}`);
    const noAnswer = failure(`no answer instead of ${status}`);
    const answer: Ending = { status: 'ok', value: `instead of ${status} ${error!.text}` };
    this.#world.tell(call, fallback === 'answers' ? answer : noAnswer);
  }
}
