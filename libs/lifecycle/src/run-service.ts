import type { BackingServices } from './backing-services.ts';
import { aborted, reasonOf, systemClock, type Clock } from './clock.ts';
import type { Health } from './health.ts';
import type { InFlight } from './in-flight.ts';

export type Step =
  | 'listening'
  | 'connected'
  | 'started'
  | 'draining'
  | 'closing'
  | 'closed'
  | 'disconnected'
  | 'stopped'
  | 'failed'
  | 'deadline'
  | 'second_signal';

export type StepDetail = {
  /** Milliseconds since the process was told to run, and once it leaves, since it was told to leave. */
  elapsedMs: number;
  signal?: string;
  /** Requests under way. */
  inFlight?: number;
  /** What was still open at the deadline. */
  open?: string[];
  error?: unknown;
};

export type ServiceOptions = {
  health: Health;
  services?: Pick<BackingServices, 'connectAll' | 'disconnectAll' | 'open'>;
  inFlight?: Pick<InFlight, 'count' | 'idle'>;
  /** Starts to answer: probes first of all, which say what start-up waits for. */
  listen: () => unknown;
  /** What begins once all is connected: consumers, a clock. */
  begin?: () => unknown;
  /** How long it goes on serving after readiness turned 503, in ms: two probe periods of the balancer. */
  drainMs: number;
  /** From the signal on; then it exits with 1 whatever is still open. In ms, default 30,000. */
  deadlineMs?: number;
  /** Stops accepting, and finishes the requests and messages in hand. */
  close: () => unknown;
  /** The last of all: flushing telemetry. */
  end?: () => unknown;
  /** Told of each step; what it throws is dropped. */
  onStep?: (step: Step, detail: StepDetail) => void;
};

/** Signals in, exit codes out; tests put their own in. */
export type Host = {
  onSignal(listener: (signal: string) => void): () => void;
  exit(code: number): void;
  clock: Clock;
};

/** The process itself: SIGTERM and SIGINT. */
const thisProcess: Host = {
  clock: systemClock,
  exit: (code) => process.exit(code),
  onSignal: (listener) => {
    process.on('SIGTERM', listener);
    process.on('SIGINT', listener);
    return () => {
      process.off('SIGTERM', listener);
      process.off('SIGINT', listener);
    };
  },
};

/** A start that failed for a reason that its message names in full; the stack would say no more. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/**
 * Runs a service until a signal ends it: listen → connect to its backing services → begin → started; then unready, serve on,
 * stop accepting, finish what is in hand, disconnect. Resolves when all is closed, which is the time to exit with 0.
 *
 * A signal during start-up leaves at once. A second signal exits with 1 at once, and so does the deadline.
 *
 * @throws RangeError for a deadline that is not above `drainMs`
 * @throws StartError when it can't listen
 */
export async function runService(options: ServiceOptions, host: Host = thisProcess): Promise<void> {
  const { drainMs, deadlineMs = 30_000 } = options;
  if (!(drainMs >= 0)) throw new RangeError(`drainMs must be at least 0, got ${drainMs}`);
  if (!(deadlineMs > drainMs)) {
    throw new RangeError(`deadlineMs must be above drainMs (${drainMs}), got ${deadlineMs}`);
  }
  await new Run(options, deadlineMs, host).run();
}

class Run {
  readonly #options: ServiceOptions;
  readonly #deadlineMs: number;
  readonly #host: Host;
  readonly #left = new AbortController();
  #since: number;
  #signal: string | undefined;
  #doing = 'listen';

  constructor(options: ServiceOptions, deadlineMs: number, host: Host) {
    this.#options = options;
    this.#deadlineMs = deadlineMs;
    this.#host = host;
    this.#since = host.clock.now();
  }

  async run(): Promise<void> {
    const off = this.#host.onSignal((signal) => this.#onSignal(signal));
    const closed = new AbortController();
    try {
      const failure = await this.#start().then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      if (failure) this.#tell('failed', failure);
      const errors = [
        ...(failure ? [failure.error] : []),
        ...(await this.#leave(failure === undefined, closed.signal)),
      ];
      if (errors.length) throw errors[0];
    } finally {
      closed.abort();
      off();
    }
  }

  #onSignal(signal: string): void {
    if (this.#left.signal.aborted) {
      this.#tell('second_signal', { signal, open: this.#open() });
      this.#host.exit(1);
    }
    this.#signal = signal;
    this.#since = this.#host.clock.now();
    this.#left.abort(new Error(signal));
  }

  /** Resolves when it is time to leave. */
  async #start(): Promise<void> {
    const { listen } = this.#options;
    const left = aborted(this.#left.signal);
    await Promise.race([Promise.resolve().then(listen).catch(refuse), left]);
    if (this.#left.signal.aborted) return;
    this.#tell('listening');
    await Promise.race([this.#connect(), left]);
    await left;
  }

  async #connect(): Promise<void> {
    const { services, begin, health } = this.#options;
    const { signal } = this.#left;
    try {
      await services?.connectAll({ signal });
      if (signal.aborted) return;
      this.#tell('connected');
      await begin?.();
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    if (signal.aborted) return;
    health.started();
    this.#tell('started');
  }

  /** Closes everything in order, whatever fails on the way; gives what failed. */
  async #leave(mayDrain: boolean, closed: AbortSignal): Promise<unknown[]> {
    const { health, services, inFlight, drainMs, close, end } = this.#options;
    const wasStarted = health.startup().status === 'ok';
    if (!this.#left.signal.aborted) this.#since = this.#host.clock.now();
    void this.#watch(closed);
    health.drain();
    if (mayDrain && wasStarted) {
      this.#doing = 'drain';
      this.#tell('draining');
      // Some of it, or all, may have passed since /prestop.
      await this.#host.clock.sleep(Math.max(0, drainMs - health.drainingMs));
    }
    this.#tell('closing');
    const errors: unknown[] = [];
    const attempt = async (doing: string, work: () => unknown, step: Step) => {
      this.#doing = doing;
      try {
        await work();
      } catch (error) {
        errors.push(error);
        this.#tell('failed', { error });
      }
      this.#tell(step);
    };
    await attempt('close', async () => (await close(), inFlight?.idle()), 'closed');
    await attempt('disconnect', () => services?.disconnectAll(), 'disconnected');
    await attempt('end', () => end?.(), 'stopped');
    return errors;
  }

  async #watch(closed: AbortSignal): Promise<void> {
    const { clock, exit } = this.#host;
    const spentMs = clock.now() - this.#since;
    await clock.sleep(Math.max(0, this.#deadlineMs - spentMs), { signal: closed });
    if (closed.aborted) return;
    this.#tell('deadline', { open: this.#open() });
    exit(1);
  }

  #open(): string[] {
    const { inFlight, services } = this.#options;
    const requests = inFlight?.count ? [`${inFlight.count} requests`] : [];
    return [this.#doing, ...requests, ...(services?.open ?? [])];
  }

  #tell(step: Step, detail: Partial<StepDetail> = {}): void {
    const { onStep, inFlight } = this.#options;
    const told: StepDetail = { elapsedMs: Math.round(this.#host.clock.now() - this.#since), ...detail };
    if (this.#signal !== undefined) told.signal ??= this.#signal;
    if (inFlight) told.inFlight = inFlight.count;
    try {
      onStep?.(step, told);
    } catch {
      // A listener that fails must not keep the process.
    }
  }
}

function refuse(error: unknown): never {
  const { code, address = '', port } = error as { code?: string; address?: string; port?: number };
  const at = port === undefined ? reasonOf(error) : `${address}:${port}`;
  if (code === 'EADDRINUSE')
    throw new StartError(`can't listen: ${at} is taken by another process`, { cause: error });
  if (code === 'EACCES')
    throw new StartError(`can't listen: ${at} may not be used by this user`, { cause: error });
  throw error;
}
