export type Ledger = {
  charges: number;
  refunds: number;
  captured: Record<string, number>;
  net: Record<string, number>;
  /** Calls that it works on, and calls that it has left without an answer. */
  inFlight: number;
  hung: number;
};

/** The simulator's switches and books. */
export class GatewayAdmin {
  readonly #url: string;
  constructor(url: string) {
    this.#url = url;
  }

  /** The faults in force. */
  readFaults(): Promise<Record<string, number>> {
    return this.#call('GET', '/admin/faults');
  }

  /** Switches some faults and leaves the others. */
  async faults(some: Record<string, number>): Promise<void> {
    await this.#call('PATCH', '/admin/faults', some);
  }

  async heal(): Promise<void> {
    await this.#call('DELETE', '/admin/faults');
  }

  /** What the gateway did for these orders together. */
  ledgerOf(...references: string[]): Promise<Ledger> {
    return this.#call('POST', '/admin/ledger', { references });
  }

  async inFlight(): Promise<number> {
    return (await this.#call<Ledger>('GET', '/admin/ledger')).inFlight;
  }

  async #call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(this.#url + path, {
      method,
      signal: AbortSignal.timeout(5000),
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    }).catch((cause: unknown) => {
      throw new Error(`No gateway answers at ${this.#url}. Is the stack up? Start it with: npm start`, {
        cause,
      });
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }
}
