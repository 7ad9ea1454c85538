import type { Kernel } from './kernel.ts';
import type { Process } from './process.ts';

/** How likely each fault is, per call. All 0 is a healed world. */
export type Climate = {
  /** The request never arrives. */
  loseRequest: number;
  /** It was done, and nobody hears of it. */
  loseReply: number;
  /** The request arrives seconds late, most often after the caller has given up. */
  late: number;
  /** It arrives twice, where that can be (`again`). */
  twice: number;
  /** The caller dies: half of the time before the request is sent, else when it was done and before the reply. */
  crash: number;
  /** The caller is stopped (SIGSTOP) for some seconds while it waits. */
  freeze: number;
};

export type Call = {
  from: Process;
  /** Who is asked: `postgres orders`, `broker` … */
  to: string;
  /** For the trace: the request in a few words. */
  what: string;
  /** When the caller gives up. In ms. Default 2000. */
  timeoutMs?: number;
  /** The error of a caller that gets no reply. */
  lost: (why: 'reset' | 'timeout' | 'refused') => Error;
  /** Something in between may send it a second time. */
  again?: boolean;
  /** Ends the wait, not the work. */
  signal?: AbortSignal;
};

/** What a caller may suffer; each does nothing to one that nobody may hurt. */
export type Blows = {
  crash(process: Process, where: string): void;
  freeze(process: Process, where: string): void;
};

type Fate = keyof Climate | 'crash-after' | undefined;

/**
 * The only way from one place of the simulated system to another, and so the only place where something is lost, late,
 * doubled or out of order, and where a process dies between any two things that it does.
 */
export class Network {
  readonly #kernel: Kernel;
  readonly #climate: () => Climate;
  readonly #blow: Blows;
  /** What answers nothing at the moment. */
  readonly down = new Set<string>();

  constructor(kernel: Kernel, climate: () => Climate, blow: Blows) {
    this.#kernel = kernel;
    this.#climate = climate;
    this.#blow = blow;
  }

  /** `work` is done by the server, when and if the request arrives. A caller that died never hears of anything again. */
  call<T>(call: Call, work: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      call.from.deliver(() => this.#send(call, work, resolve, reject));
    });
  }

  #send<T>(
    call: Call,
    work: () => T | Promise<T>,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ): void {
    const { from, to, what, timeoutMs = 2000, lost, signal } = call;
    const kernel = this.#kernel;
    const fate = this.#fate(call);
    if (fate) kernel.say(`${from.name} ${what}: ${fate}`);
    let over = false;
    const end = (how: () => void) => () => {
      if (over) return;
      over = true;
      giveUp();
      signal?.removeEventListener('abort', aborted);
      how();
    };
    const giveUp = kernel.after(
      timeoutMs,
      from,
      end(() => reject(lost('timeout'))),
    );
    const aborted = () => end(() => reject(signal!.reason))();
    if (signal?.aborted) return aborted();
    signal?.addEventListener('abort', aborted);
    if (fate === 'crash') return this.#blow.crash(from, `before ${what}`);
    if (this.down.has(to))
      return void kernel.after(
        1,
        from,
        end(() => reject(lost('refused'))),
      );
    if (fate === 'loseRequest') return this.#cut(from, () => end(() => reject(lost('reset')))());

    if (fate === 'freeze') this.#blow.freeze(from, `at ${what}`);
    const reply = (answer: () => void) => {
      if (fate === 'crash-after') return this.#blow.crash(from, `after ${what}`);
      if (fate === 'loseReply') return this.#cut(from, () => end(() => reject(lost('reset')))());
      kernel.after(this.#latency(), from, end(answer));
    };
    const arrive = () => {
      kernel.say(`${from.name} ${what}`);
      void attempt(work).then(
        (value) => reply(() => resolve(value)),
        (error: unknown) => reply(() => reject(error)),
      );
    };
    kernel.after(fate === 'late' ? kernel.between(500, 6000) : this.#latency(), undefined, arrive);
    if (fate === 'twice')
      kernel.after(kernel.between(1, 3000), undefined, () => void attempt(work).catch(() => {}));
  }

  /** A cut connection is seen at once, or not before the time-out. */
  #cut(from: Process, seen: () => void): void {
    if (this.#kernel.chance(0.5)) this.#kernel.after(this.#latency(), from, seen);
  }

  #latency(): number {
    return this.#kernel.chance(0.05) ? this.#kernel.between(5, 200) : this.#kernel.between(0.2, 5);
  }

  #fate({ to, again = false }: Call): Fate {
    const climate = this.#climate();
    let left = this.#kernel.random();
    for (const fault of ['loseRequest', 'loseReply', 'late', 'twice', 'crash', 'freeze'] as const) {
      left -= climate[fault];
      if (left >= 0) continue;
      if (fault === 'twice' && !again) return undefined;
      // PostgreSQL gets statements in their order or not at all.
      if (fault === 'late' && to.startsWith('postgres')) return undefined;
      if (fault === 'crash' && this.#kernel.chance(0.5)) return 'crash-after';
      return fault;
    }
    return undefined;
  }
}

async function attempt<T>(work: () => T | Promise<T>): Promise<T> {
  return work();
}
