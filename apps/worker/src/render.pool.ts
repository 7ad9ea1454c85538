import { pipeline, type Pipeline } from '@cairn/resilience';
import { inSpan } from '@cairn/telemetry';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Receipt } from './receipt.ts';

export type RenderPoolOptions = {
  /** Threads at most; each is started when it is first needed. */
  threads: number;
  /** Receipts that may wait for a thread. Default 1000. */
  maxQueued?: number;
  /** How long one receipt may take, in ms. A thread that takes longer is ended, since nothing else stops it. */
  timeoutMs: number;
  /**
   * How long a thread may take to load what it renders with, in ms. Apart from `timeoutMs`: on a busy machine the first
   * receipt would else end its thread while that loads, and so would every next one. Default 30,000.
   */
  startTimeoutMs?: number;
  /**
   * What the threads run; it says `ready` first. Default: `receipt.worker`, beside this file and in the same form
   * (source, or bundle).
   */
  script?: URL;
};

// A receipt that eats memory ends its thread, not the process.
const LIMITS = { maxOldGenerationSizeMb: 128 };

/** A receipt could not be rendered. It may be the receipt or it may be bad luck, so it counts as neither. */
export class RenderError extends Error {
  readonly code = 'render_failed';
  /** There was no thread to render on, which is surely not the receipt's fault. */
  readonly transient?: true;
  constructor(message: string, { transient, ...options }: ErrorOptions & { transient?: true } = {}) {
    super(message, options);
    this.name = 'RenderError';
    if (transient) this.transient = true;
  }
}

/** Renders receipts in threads. One that crashes or hangs fails its receipt only; the next one gets a new thread. */
export class RenderPool {
  readonly #places: Pipeline;
  readonly #timeoutMs: number;
  readonly #startTimeoutMs: number;
  readonly #script: URL;
  readonly #threads = new Set<Worker>();
  #idle: Worker[] = [];

  constructor({ threads, maxQueued = 1000, timeoutMs, startTimeoutMs, script }: RenderPoolOptions) {
    this.#places = pipeline('render').bulkhead({ max: threads, queue: maxQueued });
    this.#timeoutMs = timeoutMs;
    this.#startTimeoutMs = startTimeoutMs ?? 30_000;
    this.#script = script ?? new URL(`./receipt.worker${extname(import.meta.url)}`, import.meta.url);
  }

  /** @throws RenderError */
  render(receipt: Receipt): Promise<Uint8Array> {
    return this.#places.execute(() =>
      inSpan('render receipt', {}, async () =>
        this.#renderOn(this.#idle.pop() ?? (await this.#start()), receipt),
      ),
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#threads].map((thread) => thread.terminate()));
  }

  async #renderOn(thread: Worker, receipt: Receipt): Promise<Uint8Array> {
    thread.postMessage(receipt);
    const late = new RenderError(`not rendered within ${this.#timeoutMs} ms`);
    const pdf = await this.#answer<Uint8Array>(thread, this.#timeoutMs, late);
    this.#idle.push(thread);
    return pdf;
  }

  /** What the thread says next. One that says nothing in time is ended. */
  async #answer<T>(thread: Worker, timeoutMs: number, late: RenderError): Promise<T> {
    const said = Promise.withResolvers<T>();
    const crashed = (cause: unknown) =>
      said.reject(new RenderError(`the thread crashed: ${String(cause)}`, { cause }));
    const exited = () => said.reject(new RenderError('the thread ended before the receipt was rendered'));
    const timer = setTimeout(() => said.reject(late), timeoutMs);
    thread.once('message', said.resolve).once('error', crashed).once('exit', exited);
    try {
      return await said.promise;
    } catch (error) {
      await thread.terminate();
      throw error;
    } finally {
      clearTimeout(timer);
      thread.off('message', said.resolve).off('error', crashed).off('exit', exited);
    }
  }

  /** A new thread, once it is ready to render. */
  async #start(): Promise<Worker> {
    const thread = new Worker(this.#script, { resourceLimits: LIMITS });
    // An idle thread is no reason for the process to stay; and 'error' without a listener would end the process.
    thread.unref();
    thread.on('error', () => {});
    thread.on('exit', () => {
      this.#threads.delete(thread);
      this.#idle = this.#idle.filter((other) => other !== thread);
    });
    this.#threads.add(thread);
    const text = `no thread was ready to render within ${this.#startTimeoutMs} ms`;
    await this.#answer(thread, this.#startTimeoutMs, new RenderError(text, { transient: true }));
    return thread;
  }
}
