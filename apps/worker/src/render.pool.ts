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
  /** What the threads run. Default: `receipt.worker`, beside this file and in the same form (source, or bundle). */
  script?: URL;
};

// A receipt that eats memory ends its thread, not the process.
const LIMITS = { maxOldGenerationSizeMb: 128 };

/** A receipt could not be rendered. It may be the receipt or it may be bad luck, so it counts as neither. */
export class RenderError extends Error {
  readonly code = 'render_failed';
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RenderError';
  }
}

/** Renders receipts in threads. One that crashes or hangs fails its receipt only; the next one gets a new thread. */
export class RenderPool {
  readonly #places: Pipeline;
  readonly #timeoutMs: number;
  readonly #script: URL;
  readonly #threads = new Set<Worker>();
  #idle: Worker[] = [];

  constructor({ threads, maxQueued = 1000, timeoutMs, script }: RenderPoolOptions) {
    this.#places = pipeline('render').bulkhead({ max: threads, queue: maxQueued });
    this.#timeoutMs = timeoutMs;
    this.#script = script ?? new URL(`./receipt.worker${extname(import.meta.url)}`, import.meta.url);
  }

  /** @throws RenderError */
  render(receipt: Receipt): Promise<Uint8Array> {
    return this.#places.execute(() =>
      inSpan('render receipt', {}, () => this.#renderOn(this.#idle.pop() ?? this.#start(), receipt)),
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#threads].map((thread) => thread.terminate()));
  }

  async #renderOn(thread: Worker, receipt: Receipt): Promise<Uint8Array> {
    const done = Promise.withResolvers<Uint8Array>();
    const crashed = (cause: unknown) =>
      done.reject(new RenderError(`the thread crashed: ${String(cause)}`, { cause }));
    const exited = () => done.reject(new RenderError('the thread ended before the receipt was rendered'));
    const timer = setTimeout(
      () => done.reject(new RenderError(`not rendered within ${this.#timeoutMs} ms`)),
      this.#timeoutMs,
    );
    thread.once('message', done.resolve).once('error', crashed).once('exit', exited);
    try {
      thread.postMessage(receipt);
      const pdf = await done.promise;
      this.#idle.push(thread);
      return pdf;
    } catch (error) {
      await thread.terminate();
      throw error;
    } finally {
      clearTimeout(timer);
      thread.off('message', done.resolve).off('error', crashed).off('exit', exited);
    }
  }

  #start(): Worker {
    const thread = new Worker(this.#script, { resourceLimits: LIMITS });
    // An idle thread is no reason for the process to stay; and 'error' without a listener would end the process.
    thread.unref();
    thread.on('error', () => {});
    thread.on('exit', () => {
      this.#threads.delete(thread);
      this.#idle = this.#idle.filter((other) => other !== thread);
    });
    this.#threads.add(thread);
    return thread;
  }
}
