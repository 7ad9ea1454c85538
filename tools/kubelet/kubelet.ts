import type { Pod, Probe, ProbeKind } from './manifest.ts';
import { answered, asks, newWorker, restarted, type Worker } from './worker.ts';

/** The node's time: the kubelet waits by it. */
export interface Time {
  /** Milliseconds. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** The container, as the kubelet sees it. */
export interface Container {
  /** Starts it anew. */
  start(): void;
  /** A GET that is answered by a status, or 'refused'; what takes longer than `timeoutMs` is 'timeout'. */
  get(port: string | number, path: string, timeoutMs: number): Promise<number | 'refused' | 'timeout'>;
  /** Resolves once it has ended, however. */
  readonly ended: Promise<unknown>;
  signal(name: 'SIGTERM' | 'SIGKILL'): void;
}

export type KubeletEvent =
  | { at: number; type: 'start' | 'started' | 'ready' | 'unready' | 'exit' }
  | { at: number; type: 'kill'; because: ProbeKind };

/** What a probe's run in the period begins with, as a share of the period: workers are not in step with the container. */
export type Phases = Partial<Record<ProbeKind, number>>;

const FIRST_BACKOFF_MS = 10_000;
const LONGEST_BACKOFF_MS = 300_000;
const BACKOFF_FORGOTTEN_MS = 600_000;
const LEAST_GRACE_MS = 2000;

/**
 * The part of a kubelet that watches one container: it probes, takes it in and out of the endpoints, kills it and starts it again.
 * Time and container are given, so it runs on a virtual clock as well as against a real process.
 */
export class Kubelet {
  readonly events: KubeletEvent[] = [];
  readonly #pod: Pod;
  readonly #container: Container;
  readonly #time: Time;
  readonly #workers = new Map<ProbeKind, Worker>();
  #running = false;
  #started = false;
  #ready = false;
  #startedAt = 0;
  #life = 0;
  #restarts = 0;
  #backoffMs = 0;
  #stopped = false;

  constructor(pod: Pod, container: Container, time: Time) {
    this.#pod = pod;
    this.#container = container;
    this.#time = time;
    for (const kind of ['startup', 'liveness', 'readiness'] as const) {
      const probe = pod.probes[kind];
      if (probe) this.#workers.set(kind, newWorker(kind, probe));
    }
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** Whether it is among the endpoints of its Service. */
  get ready(): boolean {
    return this.#ready;
  }

  /** How often the kubelet killed it. */
  get kills(): number {
    return this.events.filter(({ type }) => type === 'kill').length;
  }

  /** Starts the container and watches it until `stop()`. Probes begin after that share of their periods. */
  run(phases: Phases = {}): void {
    this.#start();
    for (const kind of this.#workers.keys()) void this.#watch(kind, phases[kind] ?? 0);
  }

  stop(): void {
    this.#stopped = true;
  }

  #start(): void {
    this.#life++;
    this.#running = true;
    this.#startedAt = this.#time.now();
    for (const [kind, worker] of this.#workers) this.#workers.set(kind, restarted(worker));
    this.#log('start');
    this.#container.start();
    if (!this.#pod.probes.startup) this.#begin();
    const life = this.#life;
    void this.#container.ended.then(() => this.#onEnd(life));
  }

  /** Start-up is over; without a readiness probe that is all it takes. */
  #begin(): void {
    this.#started = true;
    this.#log('started');
    if (!this.#pod.probes.readiness) this.#setReady(true);
  }

  async #watch(kind: ProbeKind, phase: number): Promise<void> {
    const { probe } = this.#workers.get(kind)!;
    const periodMs = probe.periodSeconds * 1000;
    let tick = this.#time.now() + phase * periodMs;
    await this.#time.sleep(phase * periodMs);
    while (!this.#stopped) {
      await this.#tick(kind, probe);
      // A Go ticker drops the ticks that nobody took: a slow probe delays none but the next.
      do tick += periodMs;
      while (tick < this.#time.now());
      await this.#time.sleep(tick - this.#time.now());
    }
  }

  async #tick(kind: ProbeKind, probe: Probe): Promise<void> {
    const life = this.#life;
    if (!this.#running || !asks(this.#workers.get(kind)!, this.#time.now() - this.#startedAt, this.#started))
      return;
    const answer = await this.#container.get(probe.port, probe.path, probe.timeoutSeconds * 1000);
    // The container that was asked may be gone by now.
    if (!this.#running || life !== this.#life || this.#stopped) return;
    const worker = answered(
      this.#workers.get(kind)!,
      typeof answer === 'number' && answer >= 200 && answer < 400,
    );
    this.#workers.set(kind, worker);
    if (kind === 'readiness') this.#setReady(worker.verdict === 'success');
    else if (worker.verdict === 'failure') void this.#kill(kind);
    else if (kind === 'startup' && worker.verdict === 'success' && !this.#started) this.#begin();
  }

  /** preStop first, within the grace; SIGTERM with what is left of it, at least 2 s; then SIGKILL. */
  async #kill(because: ProbeKind): Promise<void> {
    const life = this.#life;
    this.#log('kill', because);
    const grace =
      this.#pod.probes[because]?.terminationGracePeriodSeconds ?? this.#pod.terminationGracePeriodSeconds;
    const since = this.#time.now();
    const { preStop } = this.#pod;
    if (preStop) await this.#container.get(preStop.port, preStop.path, grace * 1000);
    if (life !== this.#life || !this.#running) return;
    this.#container.signal('SIGTERM');
    const leftMs = Math.max(LEAST_GRACE_MS, grace * 1000 - (this.#time.now() - since));
    await Promise.race([this.#container.ended, this.#time.sleep(leftMs)]);
    if (life !== this.#life || !this.#running) return;
    this.#container.signal('SIGKILL');
  }

  async #onEnd(life: number): Promise<void> {
    if (life !== this.#life || this.#stopped) return;
    const ranMs = this.#time.now() - this.#startedAt;
    this.#running = false;
    this.#started = false;
    this.#setReady(false);
    this.#log('exit');
    await this.#time.sleep(this.#pauseAfter(ranMs));
    if (this.#stopped) return;
    this.#restarts++;
    this.#start();
  }

  /** CrashLoopBackOff: at once the first time, then after 10 s, 20 s … 300 s; forgotten after 10 min of running. */
  #pauseAfter(ranMs: number): number {
    if (ranMs >= BACKOFF_FORGOTTEN_MS) this.#backoffMs = 0;
    const ms = this.#backoffMs;
    this.#backoffMs = ms === 0 ? FIRST_BACKOFF_MS : Math.min(ms * 2, LONGEST_BACKOFF_MS);
    return ms;
  }

  #setReady(ready: boolean): void {
    if (ready === this.#ready) return;
    this.#ready = ready;
    this.#log(ready ? 'ready' : 'unready');
  }

  #log(type: KubeletEvent['type'], because?: ProbeKind): void {
    this.events.push({ at: this.#time.now(), type, ...(because && { because }) } as KubeletEvent);
  }
}
