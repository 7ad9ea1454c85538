import {
  BackingServices,
  Health,
  httpStatusOf,
  prestop,
  runService,
  type HealthReport,
} from '@cairn/lifecycle';
import type { VirtualClock } from '@cairn/lifecycle/testing';
import type { Container } from './kubelet.ts';

export type Behaviour = {
  /** How long it takes from its start until it listens: pulling code in on a slow processor. In ms, default 400. */
  listensAfterMs?: number;
  /** Whether the database answers at that time, in ms; 'hangs' is a database that says nothing. Default: yes. */
  database?: (at: number) => boolean | 'hangs';
  /** From then on the first container's loop turns no more, in ms. Default: never. */
  hangsAtMs?: number;
  drainMs?: number;
};

/** A container whose process is the library itself (`Health`, `BackingServices`, `runService`), on a virtual clock. */
export class LibraryContainer implements Container {
  ended: Promise<unknown> = Promise.resolve();
  readonly answers: { at: number; path: string; answer: number | 'refused' | 'timeout' }[] = [];
  readonly #clock: VirtualClock;
  readonly #behaviour: Required<Behaviour>;
  #health = new Health();
  #prestop: () => Promise<{ status: number }> = async () => ({ status: 200 });
  #onSignal: ((signal: string) => void) | undefined;
  #end = () => {};
  #listening = false;
  #lives = 0;

  constructor(clock: VirtualClock, behaviour: Behaviour = {}) {
    this.#clock = clock;
    this.#behaviour = {
      listensAfterMs: 400,
      database: () => true,
      hangsAtMs: Infinity,
      drainMs: 5000,
      ...behaviour,
    };
  }

  start(): void {
    const clock = this.#clock;
    const { listensAfterMs, drainMs } = this.#behaviour;
    this.#lives++;
    this.#listening = false;
    this.ended = new Promise<void>((resolve) => (this.#end = resolve));
    const health = (this.#health = new Health({ clock }));
    const services = new BackingServices({ clock, random: () => 1 })
      .attach('postgres', {
        connect: () => this.#query(),
        disconnect: async () => {},
        check: () => this.#query(),
      })
      .register(health);
    this.#prestop = prestop({ health, drainMs, clock });
    const end = this.#end;
    const host = {
      clock,
      exit: () => end(),
      onSignal: (listener: (signal: string) => void) => {
        this.#onSignal = listener;
        return () => {};
      },
    };
    const listen = () =>
      clock.sleep(listensAfterMs).then(() => (this.#listening = this.ended === ended || this.#listening));
    const ended = this.ended;
    const close = () => void (this.#listening = false);
    void runService({ health, services, listen, close, drainMs }, host).then(end, end);
  }

  async get(
    _port: string | number,
    path: string,
    timeoutMs: number,
  ): Promise<number | 'refused' | 'timeout'> {
    const at = this.#clock.now();
    const answer = await this.#answer(path, timeoutMs);
    this.answers.push({ at, path, answer });
    return answer;
  }

  signal(name: 'SIGTERM' | 'SIGKILL'): void {
    if (name === 'SIGKILL') this.#end();
    else if (!this.#hangs) this.#onSignal?.(name);
  }

  async #answer(path: string, timeoutMs: number): Promise<number | 'refused' | 'timeout'> {
    const late = this.#clock.sleep(timeoutMs).then(() => 'timeout' as const);
    if (!this.#listening) return 'refused';
    if (this.#hangs) return late;
    return Promise.race([this.#route(path), late]);
  }

  async #route(path: string): Promise<number> {
    const of = async (report: HealthReport | Promise<HealthReport>) => httpStatusOf(await report);
    if (path === '/health/live') return of(this.#health.live());
    if (path === '/health/ready') return of(this.#health.ready());
    if (path === '/health/startup') return of(this.#health.startup());
    return path === '/prestop' ? (await this.#prestop()).status : 404;
  }

  get #hangs(): boolean {
    return this.#lives === 1 && this.#clock.now() >= this.#behaviour.hangsAtMs;
  }

  async #query(): Promise<void> {
    const there = this.#behaviour.database(this.#clock.now());
    if (there === 'hangs') await new Promise(() => {});
    if (!there) throw new Error('connection refused');
  }
}
