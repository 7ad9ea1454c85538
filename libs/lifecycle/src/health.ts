/** Rejects, or resolves with a word on how things stand, when asked. */
export type Check = () => Promise<unknown>;
export type HealthReport = {
  status: 'ok' | 'degraded' | 'unavailable';
  checks: Record<string, { status: 'up' | 'down'; reason?: string }>;
};

type Entry = { name: string; check: Check; critical: boolean; cached?: { at: number; error?: string } };

/**
 * The three questions an orchestrator asks. Liveness never looks at a dependency: a restart does not mend a database.
 * Readiness asks every dependency in parallel, each with a timeout, and remembers the answer briefly, so that probes
 * cannot become load.
 */
export class Health {
  readonly #entries: Entry[] = [];
  readonly #crashed = new Map<string, string>();
  readonly #timeoutMs: number;
  readonly #cacheMs: number;
  readonly #now: () => number;
  #started = false;
  #draining = false;

  /** `timeoutMs` per check, default 1000; `cacheMs` for which an answer stands, default 1000. */
  constructor({ timeoutMs = 1000, cacheMs = 1000, now = () => performance.now() } = {}) {
    this.#timeoutMs = timeoutMs;
    this.#cacheMs = cacheMs;
    this.#now = now;
  }

  /** A critical dependency that is down makes the process unready; an optional one only degrades it. */
  add(name: string, check: Check, { critical = true } = {}): void {
    this.#entries.push({ name, check, critical });
  }

  /** Start-up is over: from now on the startup probe succeeds. */
  started(): void {
    this.#started = true;
  }

  /** From now on readiness says 503, so that the balancer sends no new work. */
  drain(): void {
    this.#draining = true;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Something that cannot recover by itself has died inside this process: ask for a restart by failing liveness. */
  crashed(name: string, reason: string): void {
    this.#crashed.set(name, reason);
  }

  live(): HealthReport {
    const checks = Object.fromEntries(
      [...this.#crashed].map(([name, reason]) => [name, { status: 'down' as const, reason }]),
    );
    return { status: this.#crashed.size ? 'unavailable' : 'ok', checks };
  }

  startup(): HealthReport {
    return { status: this.#started ? 'ok' : 'unavailable', checks: {} };
  }

  async ready(): Promise<HealthReport> {
    if (this.#draining)
      return { status: 'unavailable', checks: { drain: { status: 'down', reason: 'stopping' } } };
    if (!this.#started)
      return { status: 'unavailable', checks: { startup: { status: 'down', reason: 'starting' } } };
    const errors = await Promise.all(this.#entries.map((entry) => this.#ask(entry)));
    const checks: HealthReport['checks'] = {};
    let status: HealthReport['status'] = 'ok';
    this.#entries.forEach((entry, i) => {
      const reason = errors[i];
      checks[entry.name] = reason === undefined ? { status: 'up' } : { status: 'down', reason };
      if (reason === undefined) return;
      status = entry.critical || status === 'unavailable' ? 'unavailable' : 'degraded';
    });
    return { status, checks };
  }

  async #ask(entry: Entry): Promise<string | undefined> {
    if (entry.cached && this.#now() - entry.cached.at < this.#cacheMs) return entry.cached.error;
    const error = await withTimeout(entry.check, this.#timeoutMs);
    entry.cached = { at: this.#now(), error };
    return error;
  }
}

async function withTimeout(check: Check, timeoutMs: number): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer in ${timeoutMs} ms`), timeoutMs);
  });
  try {
    return await Promise.race([
      Promise.resolve()
        .then(check)
        .then(() => undefined),
      late,
    ]);
  } catch (error) {
    return error instanceof Error ? error.message || error.name : String(error);
  } finally {
    clearTimeout(timer);
  }
}
