import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { Container } from './kubelet.ts';

export type ProcessOptions = {
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  /** Ports by the names that the manifest gives them; `http` answers first. */
  ports: Record<string, number>;
  /** Lets the kubelet's time pass for an answer that did not come. */
  sleep: (ms: number) => Promise<unknown>;
  /** Told of each process, which leads a group of its own, so that a guard may end what outlives the tests. */
  onStart?: (pid: number) => void;
  onEnd?: (pid: number) => void;
};

type Answer = number | 'refused' | 'timeout';

/** How long a process that was told to end may really take. */
const TERM_MS = 4000;

/**
 * A container that is a real process here, probed by real HTTP, for a kubelet whose time is virtual: it passes only between the
 * answers, and neither starting nor ending takes any.
 */
export class ProcessContainer implements Container {
  ended: Promise<unknown> = Promise.resolve();
  /** For how much of a time-out an answer is really waited for. Less than 1 is for processes known not to answer. */
  patience = 1;
  readonly answers: { path: string; answer: Answer }[] = [];
  /** How each process ended: its exit code, or the signal. */
  readonly exits: (number | string)[] = [];
  readonly #options: ProcessOptions;
  readonly #pending = new Set<Promise<unknown>>();
  #child: ChildProcess | undefined;

  constructor(options: ProcessOptions) {
    this.#options = options;
  }

  start(): void {
    const { command, args, env, onStart, onEnd } = this.#options;
    this.patience = 1;
    const child = (this.#child = spawn(command, args, { env, stdio: 'ignore', detached: true }));
    onStart?.(child.pid!);
    let over = false;
    this.ended = new Promise<void>((resolve) => {
      child.once('exit', (code, signal) => {
        over = true;
        this.exits.push(code ?? signal!);
        onEnd?.(child.pid!);
        resolve();
      });
    });
    const listening = async () => {
      while (!over && (await this.#ask('http', '/', 500)) === 'refused') await delay(20);
    };
    void this.#track(listening());
  }

  async get(port: string | number, path: string, timeoutMs: number): Promise<Answer> {
    const answer = await this.#track(this.#ask(port, path, timeoutMs * this.patience));
    if (answer === 'timeout') await this.#options.sleep(timeoutMs);
    this.answers.push({ path, answer });
    return answer;
  }

  signal(name: 'SIGTERM' | 'SIGKILL'): void {
    this.#child?.kill(name);
    const patient =
      name === 'SIGKILL'
        ? this.ended
        : Promise.race([this.ended, delay(TERM_MS * this.patience, undefined, { ref: false })]);
    void this.#track(patient);
  }

  /** The number of a port that the manifest names. */
  port(name: string | number): number {
    return Number(this.#options.ports[name] ?? name);
  }

  /** Resolves when nothing is on its way any more: the kubelet's time may pass. */
  async settled(): Promise<void> {
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    await turn();
    while (this.#pending.size > 0) {
      await Promise.all(this.#pending);
      await turn();
    }
  }

  /** Ends the process, if there is one. */
  async destroy(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.ended;
  }

  async #ask(port: string | number, path: string, timeoutMs: number): Promise<Answer> {
    try {
      const url = `http://127.0.0.1:${this.port(port)}${path}`;
      const response = await fetch(url, {
        signal: AbortSignal.timeout(timeoutMs),
        headers: { connection: 'close' },
      });
      await response.text();
      return response.status;
    } catch (error) {
      return (error as Error).name === 'TimeoutError' ? 'timeout' : 'refused';
    }
  }

  #track<T>(work: Promise<T>): Promise<T> {
    const tracked: Promise<T> = work.finally(() => this.#pending.delete(tracked));
    this.#pending.add(tracked);
    return tracked;
  }
}
