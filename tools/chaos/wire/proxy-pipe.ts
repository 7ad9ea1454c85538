import type { Socket } from 'node:net';

/** What a pipe asks of the network before each chunk; it may change at any time. */
export type Weather = {
  /** How long a chunk of that many bytes takes from here on, in ms, beside those that are on their way. */
  delayMs(bytes: number): number;
  /** True while the direction carries nothing: bytes wait, as packets do that are sent again until they arrive. */
  cut(): boolean;
};

/** What becomes of a chunk; bytes are sent in its place. */
export type Verdict = 'forward' | 'hold' | Buffer;

type Parcel = { chunk?: Buffer; dueAt: number };

/** More than that on its way, and the sender has to wait, as it would for a real window. */
const WINDOW_BYTES = 1 << 20;

/** One direction of one connection: keeps the order of bytes, whatever the weather. */
export class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #weather: Weather;
  readonly #judge: (chunk: Buffer) => Verdict;
  #parcels: Parcel[] = [];
  #bytes = 0;
  #held = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, weather: Weather, judge: (chunk: Buffer) => Verdict) {
    this.#from = from;
    this.#to = to;
    this.#weather = weather;
    this.#judge = judge;
    from.on('data', (chunk) => this.#take(chunk));
    from.once('end', () => this.#ended());
    to.on('drain', () => this.weatherChanged());
    this.weatherChanged();
  }

  /** Lets go on what was held; what is held later is held again. */
  release(): void {
    this.#held = false;
    this.#deliver();
  }

  /** To be called when the direction was cut or is no longer. */
  weatherChanged(): void {
    const waits = this.#weather.cut() || this.#bytes > WINDOW_BYTES || this.#to.writableNeedDrain;
    if (waits) this.#from.pause();
    else this.#from.resume();
    this.#deliver();
  }

  /** Nothing is sent any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#parcels = [];
  }

  #take(chunk: Buffer): void {
    const verdict = this.#judge(chunk);
    if (verdict === 'hold') this.#held = true;
    const sent = Buffer.isBuffer(verdict) ? verdict : chunk;
    const dueAt = performance.now() + this.#weather.delayMs(sent.length);
    this.#parcels.push({ chunk: sent, dueAt });
    this.#bytes += sent.length;
    if (this.#bytes > WINDOW_BYTES) this.#from.pause();
    this.#deliver();
  }

  #ended(): void {
    // Whoever is gone cannot have sent what was held back: the other side sees the end and nothing of it.
    if (this.#held) {
      this.#parcels = [];
      this.#held = false;
    }
    this.#parcels.push({ dueAt: this.#parcels.at(-1)?.dueAt ?? 0 });
    this.#deliver();
  }

  #deliver(): void {
    clearTimeout(this.#timer);
    while (!this.#held && !this.#weather.cut() && this.#parcels.length > 0) {
      const { chunk, dueAt } = this.#parcels[0]!;
      const leftMs = dueAt - performance.now();
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.#deliver(), Math.ceil(leftMs));
        return;
      }
      this.#parcels.shift();
      if (chunk) this.#send(chunk);
      else this.#to.end();
    }
  }

  #send(chunk: Buffer): void {
    this.#bytes -= chunk.length;
    if (this.#to.destroyed) return;
    if (!this.#to.write(chunk)) this.#from.pause();
    else if (this.#bytes <= WINDOW_BYTES && !this.#weather.cut()) this.#from.resume();
  }
}
