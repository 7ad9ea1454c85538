import type { DraftsStore, SavedDraft } from '@cairn/orders/src/drafts.store.ts';
import type { Decision, Draft, Order } from '@cairn/orders/src/order.ts';
import {
  ORDERS_TOPIC,
  type OrdersRepository,
  type StoredReply,
} from '@cairn/orders/src/orders.repository.ts';
import { MemoryAggregate, type Stored } from './aggregate.memory.ts';
import type { Bug } from './bugs.ts';
import type { Connection } from './connection.ts';
import { DatabaseError } from './database.ts';
import type { Network } from './network.ts';
import { appendEvents } from './outbox.memory.ts';
import type { Process } from './process.ts';

const ORDERS = {
  table: 'orders',
  topic: ORDERS_TOPIC,
  source: '/orders',
  consumer: 'orders',
  subjectOf: ({ id }: Order) => id,
};

type Contract<T> = Pick<T, keyof T>;

/** Orders in memory, with the contract of the repository in SQL. */
export class MemoryOrders implements Contract<OrdersRepository> {
  readonly #connection: Connection;
  readonly #aggregate: MemoryAggregate<Order>;
  readonly #bug: Bug | undefined;

  constructor(connection: Connection, bug?: Bug) {
    this.#connection = connection;
    this.#aggregate = new MemoryAggregate(connection, ORDERS, bug);
    this.#bug = bug;
  }

  insert(decision: Decision, key: string, reply: StoredReply): Promise<void> {
    const { order, announce } = decision;
    const events = this.#aggregate.eventsOf({ value: order, announce }, 0, order.createdAt);
    return this.#connection.query(`INSERT orders ${order.id}`, async (tx) => {
      if (this.#bug !== 'no-idempotency-key') {
        if (!(await tx.insert('draft', `${order.customerId}/${order.draftId}`, { id: order.id })))
          throw taken('orders');
        if (!(await tx.insert('idempotency_key', `${order.customerId}/${key}`, reply)))
          throw taken('idempotency_key');
      }
      tx.put('orders', order.id, { value: order, version: events.length } satisfies Stored<Order>);
      appendEvents(tx, ORDERS_TOPIC, events);
    });
  }

  update(
    id: string,
    decide: (order: Order) => Decision | undefined,
    options: { now: Date; messageId?: string },
  ): Promise<Order | undefined> {
    const decided = (value: Order) => {
      const decision = decide(value);
      return decision && { value: decision.order, announce: decision.announce };
    };
    return this.#aggregate.update(id, decided, options);
  }

  find(customerId: string, id: string): Promise<Order | undefined> {
    return this.#connection.query(`SELECT orders ${id}`, (tx) => {
      const order = tx.get<Stored<Order>>('orders', id)?.value;
      return order?.customerId === customerId ? order : undefined;
    });
  }

  orderOfDraft(customerId: string, draftId: string): Promise<string | undefined> {
    return this.#connection.query('SELECT order of draft', (tx) => {
      return tx.get<{ id: string }>('draft', `${customerId}/${draftId}`)?.id;
    });
  }

  findReply(customerId: string, key: string): Promise<StoredReply | undefined> {
    return this.#connection.query('SELECT idempotency_key', (tx) => {
      return tx.get<StoredReply>('idempotency_key', `${customerId}/${key}`);
    });
  }

  pendingSince(before: Date, limit: number): Promise<string[]> {
    return this.#connection.query('SELECT orders pending', (tx) =>
      tx
        .rows<Stored<Order>>('orders')
        .map(({ value }) => value)
        .filter(({ createdAt }) => createdAt < before)
        .filter(({ state }) => state === 'pending' || (this.#bug === 'expire-any-state' && state === 'paid'))
        .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
        .slice(0, limit)
        .map(({ id }) => id),
    );
  }

  page(): Promise<Order[]> {
    throw new Error('nobody lists orders in the simulation');
  }

  forgetReplies(): Promise<number> {
    throw new Error('nothing is forgotten in the simulation');
  }

  forgetMessages(): Promise<number> {
    throw new Error('nothing is forgotten in the simulation');
  }

  closeSalesDay(): Promise<void> {
    throw new Error('no sales day is closed in the simulation');
  }
}

const taken = (table: string) =>
  new DatabaseError('23505', 'duplicate key value violates unique constraint', table);

type Saved = { draft: Draft; expiresAt: Date };

/** Redis: replies from a map that a FLUSHALL empties. */
export class MemoryDrafts implements Contract<DraftsStore> {
  readonly #network: Network;
  readonly #process: Process;
  readonly #drafts: Map<string, Saved>;

  constructor(network: Network, process: Process, drafts: Map<string, Saved>) {
    this.#network = network;
    this.#process = process;
    this.#drafts = drafts;
  }

  save(customerId: string, draft: Draft, ttlS: number, now: Date): Promise<SavedDraft> {
    const saved = { draft, expiresAt: new Date(now.getTime() + ttlS * 1000) };
    return this.#call('SET draft', () => {
      this.#drafts.set(`${customerId}/${draft.id}`, saved);
      return saved;
    });
  }

  find(customerId: string, id: string, now: Date): Promise<SavedDraft | undefined> {
    return this.#call('GET draft', () => {
      const saved = this.#drafts.get(`${customerId}/${id}`);
      return saved && saved.expiresAt > now ? saved : undefined;
    });
  }

  delete(customerId: string, id: string): Promise<boolean> {
    return this.#call('DEL draft', () => this.#drafts.delete(`${customerId}/${id}`));
  }

  #call<T>(what: string, work: () => T): Promise<T> {
    const lost = (why: string) => Object.assign(new Error(`redis: ${why}`), { code: 'ECONNRESET' });
    return this.#network.call({ from: this.#process, to: 'redis', what, timeoutMs: 1000, lost }, work);
  }
}
