import { GuardedCheck, type Check, type CheckOptions } from './check.ts';
import { systemClock, type Clock } from './clock.ts';
import { reportOf, type Finding, type Findings, type HealthReport, type HealthStatus } from './report.ts';

export type HealthOptions = {
  /** Time-out of a check that names none, in ms. Default 1000. */
  timeoutMs?: number;
  /** For how long the answer of a check that names none stands, in ms. Default 1000. */
  cacheMs?: number;
  /** Told once whenever the answer to readiness turns, not once per probe. What it throws is dropped. */
  onChange?: (from: HealthStatus, to: HealthStatus, report: HealthReport) => void;
  /** Takes secrets out of what a check says is wrong, before it goes into a report. Default: nothing. */
  redact?: (message: string) => string;
  /** For tests. */
  clock?: Clock;
};

/**
 * The three questions an orchestrator asks. Liveness never looks at a dependency: a restart does not mend a database.
 * Readiness asks every dependency in parallel, each with a time-out, and remembers the answer briefly.
 */
export class Health {
  readonly #checks = new Map<string, GuardedCheck>();
  readonly #crashed = new Map<string, string>();
  readonly #options: Required<Omit<HealthOptions, 'onChange'>> & Pick<HealthOptions, 'onChange'>;
  #waitingFor: () => Findings = () => ({});
  #started = false;
  #drain: { since: number; forGood: boolean } | undefined;
  #asking: Promise<HealthReport> | undefined;
  #status: HealthStatus = 'error';

  constructor({
    timeoutMs = 1000,
    cacheMs = 1000,
    redact = (m) => m,
    clock = systemClock,
    onChange,
  }: HealthOptions = {}) {
    this.#options = { timeoutMs, cacheMs, redact, clock, onChange };
  }

  /**
   * A critical dependency that is down makes the process unready; an optional one only degrades it.
   *
   * @throws RangeError for a name that is there already, and for a time out of range
   */
  add(name: string, check: Check, options: CheckOptions = {}): this {
    if (this.#checks.has(name)) throw new RangeError(`there is a check "${name}" already`);
    const { timeoutMs, cacheMs, clock } = this.#options;
    this.#checks.set(name, new GuardedCheck(check, clock, { timeoutMs, cacheMs, ...options }));
    return this;
  }

  /** Names what start-up waits for, as `/health/startup` shows it. */
  waitFor(waitingFor: () => Findings): void {
    this.#waitingFor = waitingFor;
  }

  /** Start-up is over: from now on the startup probe succeeds. */
  started(): void {
    this.#started = true;
  }

  /**
   * From now on readiness says 503, so that the balancer sends no new work; `forGood: false` can be taken back by
   * `resume()`. Default true.
   */
  drain({ forGood = true } = {}): void {
    const since = this.#drain?.since ?? this.#options.clock.now();
    this.#drain = { since, forGood: forGood || this.#drain?.forGood === true };
    this.#turn(this.#drainReport());
  }

  /** Takes back a drain that was not for good. */
  resume(): void {
    if (!this.#drain?.forGood) this.#drain = undefined;
  }

  get draining(): boolean {
    return this.#drain !== undefined;
  }

  /** For how long readiness has been saying 503, in ms; 0 when it does not drain. */
  get drainingMs(): number {
    return this.#drain ? this.#options.clock.now() - this.#drain.since : 0;
  }

  /** Something that cannot recover by itself has died inside this process: ask for a restart by failing liveness. */
  crashed(name: string, reason: string): void {
    this.#crashed.set(name, reason);
  }

  live(): HealthReport {
    return reportOf(
      this.#shown(mapValues(this.#crashed, (message): Finding => ({ status: 'down', message }))),
    );
  }

  startup(): HealthReport {
    if (this.#started) return reportOf({});
    return reportOf(this.#shown({ startup: { status: 'down', message: 'starting' }, ...this.#waitingFor() }));
  }

  /** However many ask, the checks run once. */
  ready(): Promise<HealthReport> {
    this.#asking ??= this.#ready().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  async #ready(): Promise<HealthReport> {
    const asked = !this.draining && this.#started ? await this.#askAll() : this.startup();
    // It may have begun to drain while the checks ran.
    const report = this.draining ? this.#drainReport() : asked;
    this.#turn(report);
    return report;
  }

  async #askAll(): Promise<HealthReport> {
    const names = [...this.#checks.keys()];
    const findings = await Promise.all([...this.#checks.values()].map((check) => check.ask()));
    return reportOf(this.#shown(Object.fromEntries(names.map((name, i) => [name, findings[i]!]))));
  }

  #drainReport(): HealthReport {
    return reportOf({ shutdown: { status: 'down', message: 'stopping' } }, true);
  }

  #shown(findings: Findings): Findings {
    const { redact } = this.#options;
    return mapValues(new Map(Object.entries(findings)), (finding) =>
      finding.message === undefined ? finding : { ...finding, message: redact(finding.message) },
    );
  }

  #turn(report: HealthReport): void {
    const from = this.#status;
    this.#status = report.status;
    if (from === report.status) return;
    try {
      this.#options.onChange?.(from, report.status, report);
    } catch {
      // A listener that fails must not turn a probe.
    }
  }
}

function mapValues<T, U>(entries: Map<string, T>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries([...entries].map(([name, value]) => [name, map(value)]));
}
