import type { Child } from './child.ts';
import { descendants, processRows, signalGroup, startOf } from './processes.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { StackError } from './types.ts';

const KILL_DEADLINE_MS = 5000;

/** A process that can be ended on purpose, in any way, and be started again with the same port and data. */
export class Restartable {
  readonly name: string;
  readonly #begin: () => Promise<Child>;
  readonly #listeners: ((how: string, pid: number) => void)[] = [];
  #child: Child | undefined;
  /** How the last life ended, when it ended by itself. */
  #gone: [how: string, pid: number] | undefined;
  #starting: Promise<Child> | undefined;

  /** `begin` resolves when the process is ready; `child` is one that runs already. */
  constructor(name: string, begin: () => Promise<Child>, child?: Child) {
    this.name = name;
    this.#begin = begin;
    if (child) this.#follow(child);
  }

  /** Of the life that runs, else undefined. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get log(): string | undefined {
    return this.#child?.log;
  }

  /** Resolves when it is ready; at once when it runs already. */
  async start(): Promise<void> {
    if (this.#child) return;
    this.#starting ??= this.#begin();
    try {
      this.#follow(await this.#starting);
    } finally {
      this.#starting = undefined;
    }
  }

  /** SIGKILL to it and to all that it has started. Resolves when none of them runs. */
  async kill(): Promise<void> {
    const child = await this.#letGo();
    if (!child) return;
    // PostgreSQL's backends have groups of their own, and must not outlive their server beside the next one.
    const pids = descendants(processRows(), child.pid);
    for (const pid of pids) signal(pid, 'SIGKILL');
    await child.exited;
    const end = Date.now() + KILL_DEADLINE_MS;
    while (pids.some((pid) => startOf(pid) !== undefined)) {
      if (Date.now() > end) throw new StackError(`${this.name}: pids ${pids.join(', ')} survive a SIGKILL`);
      await delay(10);
    }
    await child.stop();
  }

  /** Ends it in order: its stop signal, and SIGKILL after its grace. */
  async stop(): Promise<void> {
    const child = await this.#letGo();
    if (!child) return;
    signalGroup(child.pid, 'SIGCONT');
    await child.stop();
  }

  /** SIGSTOP, until `resume()`. */
  pause(): void {
    if (this.#child) signalGroup(this.#child.pid, 'SIGSTOP');
  }

  resume(): void {
    if (this.#child) signalGroup(this.#child.pid, 'SIGCONT');
  }

  /** Called when it ends without `kill()` or `stop()`; at once when it has, and was not started again. */
  onGone(listener: (how: string, pid: number) => void): void {
    this.#listeners.push(listener);
    if (this.#gone) listener(...this.#gone);
  }

  #follow(child: Child): void {
    this.#child = child;
    this.#gone = undefined;
    void child.exited.then((how) => {
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#gone = [how, child.pid];
      for (const listener of this.#listeners) listener(how, child.pid);
      return child.stop();
    });
  }

  /** From here on its end is no surprise. Waits for a start that is under way; one that fails has left nothing. */
  async #letGo(): Promise<Child | undefined> {
    if (this.#starting) await Promise.allSettled([this.#starting]);
    const child = this.#child;
    this.#child = undefined;
    return child;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
