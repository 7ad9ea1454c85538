const KEPT = 20;

/** Problems of telemetry itself, told once per outage: an endpoint that is away must not flood the log. */
export class Problems {
  readonly #failing = new Set<string>();
  #early: Error[] = [];
  #listener: ((error: Error) => void) | undefined;

  listen(listener: (error: Error) => void): void {
    this.#listener = listener;
    for (const error of this.#early.splice(0)) listener(error);
  }

  failed(what: string, cause: unknown): void {
    if (this.#failing.has(what)) return;
    this.#failing.add(what);
    const error = new Error(`${what} failed: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
    if (this.#listener) this.#listener(error);
    else if (this.#early.length < KEPT) this.#early.push(error);
  }

  worked(what: string): void {
    this.#failing.delete(what);
  }
}
