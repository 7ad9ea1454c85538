import { uuidOf } from '../random.ts';

export type PlannedRequest = {
  /** Sent as `X-Correlation-ID`: with it the request is found in the logs of the replicas. */
  id: string;
  kind: 'draft' | 'confirm' | 'read';
  method: string;
  path: string;
  /** The idempotency key of a confirmation. */
  key?: string;
  body?: string;
  /** Anything but this status is a failure. */
  expected: number;
};

type Kind = PlannedRequest['kind'];

const SHARE: Record<Kind, number> = { confirm: 0.15, read: 0.45, draft: 0.4 };
const REMEMBERED = 200;

/**
 * What customers of orders do: save drafts, confirm some of them, look at orders. Only what was answered is built upon,
 * so each request has exactly one status that is right.
 */
export class RequestPlan {
  readonly #random: () => number;
  readonly #prefix: string;
  readonly #drafts: string[] = [];
  readonly #orders: string[] = [];
  /** Every order that was confirmed: the replicas must know all of them in the end. */
  readonly confirmed: string[] = [];
  #count = 0;

  constructor(prefix: string, random: () => number) {
    this.#prefix = prefix;
    this.#random = random;
  }

  next(): PlannedRequest {
    const id = `${this.#prefix}-${String(++this.#count).padStart(6, '0')}`;
    const roll = this.#random();
    if (roll < SHARE.confirm && this.#drafts.length > 0) return this.#confirm(id, this.#drafts.shift()!);
    if (roll < SHARE.confirm + SHARE.read && this.#orders.length > 0) return this.#read(id);
    return this.#draft(id);
  }

  /** To be called with what was answered as expected, and with nothing else. */
  answered({ kind, path }: PlannedRequest, reply: string): void {
    if (kind === 'draft') remember(this.#drafts, path.slice(path.lastIndexOf('/') + 1));
    if (kind !== 'confirm') return;
    const { id } = JSON.parse(reply) as { id: string };
    this.confirmed.push(id);
    remember(this.#orders, id);
  }

  #draft(id: string): PlannedRequest {
    const body = JSON.stringify({
      email: 'chaos@example.com',
      currency: 'EUR',
      lines: [
        { sku: 'TEA-01', name: 'Mountain tea', quantity: 1 + Math.floor(this.#random() * 5), unitPrice: 890 },
      ],
    });
    const path = `/api/v1/drafts/${uuidOf(this.#random)}`;
    return { id, kind: 'draft', method: 'PUT', path, body, expected: 200 };
  }

  #confirm(id: string, draftId: string): PlannedRequest {
    const body = JSON.stringify({ draftId, cardToken: 'tok_visa' });
    return {
      id,
      kind: 'confirm',
      method: 'POST',
      path: '/api/v1/orders',
      key: `key-${id}`,
      body,
      expected: 201,
    };
  }

  #read(id: string): PlannedRequest {
    const order = this.#orders[Math.floor(this.#random() * this.#orders.length)]!;
    return { id, kind: 'read', method: 'GET', path: `/api/v1/orders/${order}`, expected: 200 };
  }
}

function remember(list: string[], one: string): void {
  list.push(one);
  if (list.length > REMEMBERED) list.shift();
}
