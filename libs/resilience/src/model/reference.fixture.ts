import type { Command, Observation, Step } from './commands.fixture.ts';
import type { ReferenceSnapshot } from './reference-breaker.fixture.ts';
import type { Ending, ReferenceAttempt, ReferenceCall, ReferenceError } from './reference-call.fixture.ts';
import { ReferenceService } from './reference-service.fixture.ts';
import { ReferenceTime } from './reference-time.fixture.ts';
import type { Settings } from './settings.fixture.ts';

/** What the rules say that happens: pipelines, their callers, and the time that they share. */
export class Reference {
  readonly time: ReferenceTime;
  readonly log: string[] = [];
  /** The error that a caller was told of last. */
  lastError: ReferenceError | undefined;
  /** The call that is being made, whose work may end at once. */
  isStarting: number | undefined;
  readonly #settings: Settings;
  readonly #calls: ReferenceCall[] = [];
  readonly #told: { call: ReferenceCall; text: string; error: ReferenceError | undefined }[] = [];
  #service: ReferenceService;
  #services = 1;
  #snapshot: ReferenceSnapshot | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.time = new ReferenceTime(settings.startMs);
    this.#service = new ReferenceService(settings, this, 'pipeline 0');
  }

  /** Works that have not ended, those that were given up included. */
  get #works(): ReferenceAttempt[] {
    const all = this.#calls.flatMap(({ attempts }) => attempts);
    return all.filter(
      ({ state, workIsDone }) => (state === 'working' || state === 'given up') && !workIsDone,
    );
  }

  /** What a command means here and now; undefined when it means nothing. */
  resolve(command: Command): Step | undefined {
    switch (command.do) {
      case 'call':
        return { ...command, id: this.#calls.length };
      case 'settle': {
        const work = pick(this.#works, command.pick);
        return work && { do: 'settle', key: work.key, result: command.result };
      }
      case 'cancel': {
        const call = pick(this.#cancellable, command.pick);
        return call && { do: 'cancel', id: call.id };
      }
      case 'cancel and settle': {
        const works = this.#works.filter(
          ({ call, state }) => this.#cancellable.includes(call) && state === 'working',
        );
        const work = pick(works, command.pick);
        return work && { ...command, key: work.key, id: work.call.id };
      }
      case 'advance to next': {
        const ms = this.time.nextAt - this.time.nowMs + command.offset;
        return ms >= 0 && ms < Infinity ? { do: 'advance', ms } : undefined;
      }
      case 'block':
        return { do: 'block', ms: this.time.longestBlock(command.ms) };
      case 'isolate':
      case 'release':
      case 'snapshot':
        return this.#service.breaker ? command : undefined;
      case 'restore':
        return this.#snapshot && command;
      default:
        return command;
    }
  }

  get #cancellable(): ReferenceCall[] {
    return this.#calls.filter(({ plan, over }) => plan.signal === 'own' && !over);
  }

  /** @throws Ambiguous when the rules leave open what comes first */
  apply(step: Step): void {
    const { breaker } = this.#service;
    switch (step.do) {
      case 'call': {
        const aborted = step.plan.signal === 'aborted';
        this.isStarting = step.id;
        this.#calls.push(this.#service.call(step.id, step.plan, aborted));
        this.isStarting = undefined;
        break;
      }
      case 'settle':
        this.#settle(step);
        break;
      case 'cancel':
        this.#cancel(step.id);
        break;
      case 'cancel and settle':
        if (step.settleFirst) this.#settle(step);
        this.#cancel(step.id);
        if (!step.settleFirst) this.#settle(step);
        break;
      case 'cancel all':
        for (const call of this.#calls) if (call.plan.signal === 'shared') call.service.cancel(call);
        break;
      case 'advance':
        this.time.advance(step.ms);
        break;
      case 'block':
        this.time.block(step.ms);
        break;
      case 'isolate':
        breaker!.isolate();
        break;
      case 'release':
        breaker!.release();
        break;
      case 'snapshot':
        this.#snapshot = breaker!.snapshot();
        break;
      case 'restore':
        if (step.fresh)
          this.#service = new ReferenceService(this.#settings, this, `pipeline ${this.#services++}`);
        this.#service.breaker!.restore(this.#snapshot!);
    }
    this.time.settle();
  }

  #settle({ key, result }: Extract<Step, { key: string }>): void {
    const attempt = this.#works.find((work) => work.key === key)!;
    if (attempt.state === 'working' && attempt.signal === 'not read') attempt.signal = 'read';
    this.log.push(
      `${this.time.nowMs} ${key} ends with ${result}, ${attempt.state === 'given up' ? 'aborted' : 'wanted'}`,
    );
    attempt.call.service.workSettled(attempt, result);
  }

  #cancel(id: number): void {
    const call = this.#calls[id]!;
    call.service.cancel(call);
  }

  /** A caller is told. */
  tell(call: ReferenceCall, { status, value, error }: Ending): void {
    const { asOutcome } = call.plan;
    // Who does not ask for the outcome gets the value, also of those that are failures.
    const answer = asOutcome && status !== 'ok' ? undefined : value;
    const how = asOutcome ? status : answer === undefined ? 'throws' : 'returns';
    const text = `${this.time.nowMs} call ${call.id} ${how} ${answer ?? error!.text}`;
    this.#told.push({ call, text, error: answer === undefined ? error : undefined });
  }

  observe(): Observation {
    const told = this.#told.splice(0).toSorted((a, b) => a.call.id - b.call.id);
    this.lastError = told.findLast(({ error }) => error)?.error ?? this.lastError;
    const { breaker } = this.#service;
    return {
      log: this.log.splice(0),
      settled: told.map(({ text }) => text),
      state: breaker?.state,
      retryAfterMs: breaker?.retryAfterMs,
      counts: this.#service.counts(),
    };
  }
}

function pick<T>(list: T[], index: number): T | undefined {
  return list[index % Math.max(1, list.length)];
}
