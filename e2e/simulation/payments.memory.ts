import type { Decision, Payment } from '@cairn/payments/src/payment.ts';
import { PAYMENTS_TOPIC, type PaymentsRepository } from '@cairn/payments/src/payments.repository.ts';
import { MemoryAggregate, type Stored } from './aggregate.memory.ts';
import type { Bug } from './bugs.ts';
import type { Connection } from './connection.ts';
import type { Transaction } from './database.ts';

const PAYMENTS = {
  table: 'payment',
  topic: PAYMENTS_TOPIC,
  source: '/payments',
  consumer: 'payments',
  subjectOf: ({ orderId }: Payment) => orderId,
};

/** Payments in memory, with the contract of the repository in SQL. */
export class MemoryPayments implements Pick<PaymentsRepository, keyof PaymentsRepository> {
  readonly #connection: Connection;
  readonly #aggregate: MemoryAggregate<Payment>;

  constructor(connection: Connection, bug?: Bug) {
    this.#connection = connection;
    this.#aggregate = new MemoryAggregate(connection, PAYMENTS, bug);
  }

  async open(payment: Payment): Promise<Payment> {
    await this.#connection.query(`INSERT payment of ${payment.orderId}`, async (tx) => {
      if (!(await tx.insert('payment_of_order', payment.orderId, { id: payment.id }))) return;
      tx.put('payment', payment.id, { value: payment, version: 0 } satisfies Stored<Payment>);
    });
    return (await this.ofOrder(payment.orderId))!;
  }

  ofOrder(orderId: string): Promise<Payment | undefined> {
    return this.#connection.query(`SELECT payment of ${orderId}`, (tx) => {
      return rowsOf(tx).find((payment) => payment.orderId === orderId);
    });
  }

  find(customerId: string, id: string): Promise<Payment | undefined> {
    return this.#connection.query(`SELECT payment ${id}`, (tx) => {
      return rowsOf(tx).find((payment) => payment.id === id && payment.customerId === customerId);
    });
  }

  unfinished(before: Date, limit: number, after?: string): Promise<Payment[]> {
    return this.#connection.query('SELECT payment unfinished', (tx) =>
      rowsOf(tx)
        .filter((payment) => isOpen(payment) && payment.createdAt < before && (!after || payment.id > after))
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, limit),
    );
  }

  byIds(ids: string[]): Promise<Map<string, Payment>> {
    return this.#connection.query(`SELECT ${ids.length} payment`, (tx) => {
      return new Map(rowsOf(tx).flatMap((each) => (ids.includes(each.id) ? [[each.id, each]] : [])));
    });
  }

  waiting(): ReturnType<PaymentsRepository['waiting']> {
    throw new Error('nobody reads metrics in the simulation');
  }

  update(
    id: string,
    decide: (payment: Payment) => Decision | undefined,
    options: { now: Date; messageId?: string },
  ): Promise<Payment | undefined> {
    const decided = (value: Payment) => {
      const decision = decide(value);
      return decision && { value: decision.payment, announce: decision.announce };
    };
    return this.#aggregate.update(id, decided, options);
  }
}

const rowsOf = (tx: Transaction) => tx.rows<Stored<Payment>>('payment').map(({ value }) => value);

/** The condition of the index `payment_open`. */
function isOpen({ state, orderState }: Payment): boolean {
  if (state === 'charging' || state === 'refunding') return true;
  if (!orderState) return false;
  if (state === 'succeeded') return orderState !== 'paid';
  if (state === 'failed') return orderState === 'pending' || orderState === 'paid';
  return orderState !== 'payment_failed' && orderState !== 'refunded';
}
