/**
 * When requests arrive: as of many callers who know nothing of each other (a Poisson process). Open loop: a time that
 * has come is due whether or not earlier requests were answered, so a slow server meets the same load as a fast one.
 */
export class Arrivals {
  readonly #ratePerS: number;
  readonly #random: () => number;
  #nextMs: number;

  /** @throws RangeError when `ratePerS` is not above 0. */
  constructor(ratePerS: number, random: () => number) {
    if (!(ratePerS > 0 && ratePerS < Infinity)) throw new RangeError(`ratePerS must be > 0, got ${ratePerS}`);
    this.#ratePerS = ratePerS;
    this.#random = random;
    this.#nextMs = this.#gapMs();
  }

  /** In ms since the start, as is what `due` gives and takes. */
  get nextMs(): number {
    return this.#nextMs;
  }

  /** Every arrival up to `nowMs` that was not given before. */
  due(nowMs: number): number[] {
    const times: number[] = [];
    for (; this.#nextMs <= nowMs; this.#nextMs += this.#gapMs()) times.push(this.#nextMs);
    return times;
  }

  #gapMs(): number {
    return (-Math.log(1 - this.#random()) * 1000) / this.#ratePerS;
  }
}
