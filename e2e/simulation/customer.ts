import { uuidOf } from '@cairn/tools/chaos/random.ts';
import { OrderError } from '@cairn/orders/src/order.ts';
import type { OrdersService } from '@cairn/orders/src/orders.service.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

/** A replica of orders that takes requests at the moment. */
export type Replica = { process: Process; service?: OrdersService };

/** What customers were told: the audit holds the system to it. */
export type Promised = {
  customerId: string;
  draftId: string;
  total: number;
  /** Every 2xx to a confirmation, with the key that it was sent with. */
  accepted: { key: string; orderId: string; body: string }[];
  cancelled: boolean;
  /** Gave up, or was refused with what must not happen. */
  surprises: string[];
};

const TRIES = 400;
const FINAL = new Set(['order_not_cancellable', 'draft_already_confirmed', 'idempotency_key_reused']);

/** Somebody who buys: saves a draft, confirms it, maybe cancels, and repeats each request until it is answered. */
export class Customer {
  readonly promised: Promised;
  done = false;
  readonly #world: World;
  readonly #process: Process;
  readonly #replicas: () => Replica[];
  readonly #basket;

  constructor(world: World, process: Process, replicas: () => Replica[]) {
    const { kernel } = world;
    this.#world = world;
    this.#process = process;
    this.#replicas = replicas;
    const [unitPrice, quantity] = [100 + kernel.below(9000), 1 + kernel.below(3)];
    const lines = [{ sku: 'TEA', name: 'Tea', quantity, unitPrice }];
    this.#basket = { email: 'ada@example.com', currency: kernel.pick(['EUR', 'USD']), lines };
    this.promised = {
      customerId: process.name,
      draftId: uuidOf(kernel.random),
      total: unitPrice * quantity,
      accepted: [],
      cancelled: false,
      surprises: [],
    };
  }

  async buy(): Promise<void> {
    await this.#buy();
    this.done = true;
  }

  async #buy(): Promise<void> {
    const { kernel } = this.#world;
    const cardToken = kernel.chance(0.2) ? 'tok_chargeDeclined' : 'tok_visa';
    await this.#saveDraft();
    const key = uuidOf(kernel.random);
    const confirmations = [this.#confirm(key, cardToken)];
    // An impatient finger sends the same request again; a second window has a key of its own.
    if (kernel.chance(0.3)) confirmations.push(this.#confirm(key, cardToken));
    if (kernel.chance(0.2)) confirmations.push(this.#confirm(uuidOf(kernel.random), cardToken));
    await Promise.all(confirmations);
    const orderId = this.promised.accepted[0]?.orderId;
    if (!orderId || !kernel.chance(0.4)) return;
    await kernel.sleep(kernel.between(0, 4000), this.#process);
    const answer = await this.#until('cancel', (orders) => orders.cancel(this.promised.customerId, orderId));
    this.promised.cancelled = typeof answer === 'object';
  }

  #saveDraft(): Promise<unknown> {
    const { customerId, draftId } = this.promised;
    return this.#until('draft', (orders) => orders.saveDraft(customerId, draftId, this.#basket));
  }

  async #confirm(key: string, cardToken: string): Promise<void> {
    const { customerId, draftId, accepted, surprises } = this.promised;
    const request = { draftId, cardToken };
    for (let tries = 0; tries < 20; tries++) {
      const answer = await this.#until('confirm', (orders) => orders.confirm(customerId, key, request));
      if (typeof answer === 'object') {
        accepted.push({ key, body: answer.body, orderId: (JSON.parse(answer.body) as { id: string }).id });
        return;
      }
      // Redis may have lost it: then it is saved once more, and the same request says the same again.
      if (answer === 'draft_not_found') await this.#saveDraft();
      else if (answer !== 'draft_already_confirmed') surprises.push(`confirm: ${answer}`);
      else if (accepted.length === 0)
        this.#world.kernel.say(`${this.#process.name}: confirmed in the other window`);
      if (answer !== 'draft_not_found') return;
    }
    surprises.push('confirm: no draft, however often it was saved');
  }

  /** Asks a replica, again and again until there is an answer; resolves with a refusal's code. */
  async #until<T>(what: string, ask: (orders: OrdersService) => Promise<T>): Promise<T | string> {
    const { kernel } = this.#world;
    for (let tries = 0; tries < TRIES; tries++) {
      try {
        return await this.#call(what, ask);
      } catch (error) {
        const code = error instanceof OrderError ? error.code : undefined;
        if (code === 'draft_not_found' || (code && FINAL.has(code))) return code;
        await kernel.sleep(kernel.between(100, 600), this.#process);
      }
    }
    this.promised.surprises.push(`${what}: no answer`);
    return 'no_answer';
  }

  #call<T>(what: string, ask: (orders: OrdersService) => Promise<T>): Promise<T> {
    const { kernel, network } = this.#world;
    const { process, service } = kernel.pick(this.#replicas());
    const lost = (why: string) => new Error(`http: ${why}`);
    const call = { from: this.#process, to: 'http', what: `${what} at ${process.name}`, again: true, lost };
    return network.call(call, () => served(kernel, process, () => ask(service!)));
  }
}

/** The work of a server, which may be gone, or go while it is at it. */
function served<T>(kernel: World['kernel'], process: Process, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (process.state === 'dead') return reject(new Error('http: refused'));
    const forget = process.atDeath(() => reject(new Error('http: reset')));
    process.deliver(() => {
      kernel.as(process, work).finally(forget).then(resolve, reject);
    });
  });
}
