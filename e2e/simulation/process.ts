/**
 * A process of the simulated system. Whatever it waits for is a callback that the kernel runs: a dead process gets none any
 * more, a stopped one (SIGSTOP) gets them all when it goes on, and may be a zombie by then.
 */
export class Process {
  readonly name: string;
  #state: 'up' | 'stopped' | 'dead' = 'up';
  #waiting: (() => void)[] = [];
  #atDeath: (() => void)[] = [];

  constructor(name: string) {
    this.name = name;
  }

  get state() {
    return this.#state;
  }

  /** Runs it now, or when the process goes on, or never. */
  deliver(callback: () => void): void {
    if (this.#state === 'up') callback();
    else if (this.#state === 'stopped') this.#waiting.push(callback);
  }

  /** SIGKILL: its connections are cut, which is all that others see. */
  kill(): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#waiting = [];
    const callbacks = this.#atDeath;
    this.#atDeath = [];
    for (const callback of callbacks) callback();
  }

  /** SIGSTOP. */
  stop(): void {
    if (this.#state === 'up') this.#state = 'stopped';
  }

  /** SIGCONT. Resolves what came in meanwhile, in its order. */
  continue(): void {
    if (this.#state !== 'stopped') return;
    this.#state = 'up';
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) this.deliver(callback);
  }

  /** Calls back when it dies, at once when it is dead: its request may come in after it. Returns what forgets that. */
  atDeath(callback: () => void): () => void {
    if (this.#state === 'dead') {
      callback();
      return () => {};
    }
    this.#atDeath.push(callback);
    return () => void (this.#atDeath = this.#atDeath.filter((other) => other !== callback));
  }
}
