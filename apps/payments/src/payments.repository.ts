import { currentContext } from '@cairn/logging';
import { appendToOutbox, claimMessage, createEvent, outboxRow } from '@cairn/messaging';
import { traceparent } from '@cairn/telemetry';
import type { DataSource, EntityManager } from 'typeorm';
import { detailsOf, type Decision, type Payment } from './payment.ts';

export const PAYMENTS_TOPIC = 'payments';

/** The consumer name under which payments remembers what it has handled. */
const CONSUMER = 'payments';

type Row = {
  id: string;
  order_id: string;
  customer_id: string;
  amount: string;
  currency: string;
  state: Payment['state'];
  details: Record<string, unknown>;
  created_at: Date;
  version: number;
};

export class PaymentsRepository {
  constructor(
    private readonly dataSource: DataSource,
    /** Told of each event once it is committed: `payment_succeeded`. */
    private readonly onCommitted: (event: string, payment: Payment) => void = () => {},
  ) {}

  /** The payment of an order: the given one if there was none yet, else the one that is there. */
  async open(payment: Payment): Promise<Payment> {
    await this.dataSource.query(
      `INSERT INTO payment (id, order_id, customer_id, amount, currency, state, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (order_id) DO NOTHING`,
      [
        payment.id,
        payment.orderId,
        payment.customerId,
        payment.amount,
        payment.currency,
        payment.state,
        payment.createdAt,
      ],
    );
    return (await this.ofOrder(payment.orderId))!;
  }

  async ofOrder(orderId: string): Promise<Payment | undefined> {
    return (await this.#select('order_id = $1', [orderId]))[0];
  }

  async find(customerId: string, id: string): Promise<Payment | undefined> {
    return (await this.#select('id = $1 AND customer_id = $2', [id, customerId]))[0];
  }

  /** Payments whose outcome is still not known. */
  chargingSince(before: Date, limit: number): Promise<Payment[]> {
    return this.#select(`state = 'charging' AND created_at < $1 ORDER BY created_at LIMIT $2`, [
      before,
      limit,
    ]);
  }

  /**
   * Locks the row, decides, saves and appends the events in one transaction; with a message id, the first delivery
   * only. `decide` is synchronous, so nothing remote can be awaited while the row is locked.
   */
  async update(
    id: string,
    decide: (payment: Payment) => Decision | undefined,
    { now, messageId }: { now: Date; messageId?: string },
  ): Promise<Payment | undefined> {
    const decision = await this.dataSource.transaction(async (tx) => {
      if (messageId && !(await claimMessage(tx, CONSUMER, messageId))) return undefined;
      const [row] = await tx.query<Row[]>('SELECT * FROM payment WHERE id = $1 FOR UPDATE', [id]);
      const decided = row && decide(paymentOf(row));
      if (decided) await this.#save(tx, decided, { after: row.version, now });
      return decided;
    });
    for (const { type } of decision?.announce ?? [])
      this.onCommitted(type.replace('.', '_'), decision!.payment);
    return decision?.payment;
  }

  /** `after` is the version of the row as it is locked; its lock is what leaves no gap and no number twice. */
  async #save(
    tx: EntityManager,
    { payment, announce }: Decision,
    { after, now }: { after: number; now: Date },
  ): Promise<void> {
    await tx.query('UPDATE payment SET state = $2, details = $3, version = $4 WHERE id = $1', [
      payment.id,
      payment.state,
      detailsOf(payment),
      after + announce.length,
    ]);
    const context = { ...currentContext(), traceparent: traceparent() };
    const common = { source: '/payments', subject: payment.orderId, time: now, context };
    const events = announce.map(({ type, data }, i) =>
      createEvent({ ...common, type: `${type}.v1`, data, sequence: after + 1 + i }),
    );
    await appendToOutbox(
      tx,
      events.map((event) => outboxRow(PAYMENTS_TOPIC, event)),
    );
  }

  async #select(where: string, parameters: unknown[]): Promise<Payment[]> {
    return (await this.dataSource.query<Row[]>(`SELECT * FROM payment WHERE ${where}`, parameters)).map(
      paymentOf,
    );
  }
}

function paymentOf(row: Row): Payment {
  const { id, currency, state, details } = row;
  const common = { id, currency, orderId: row.order_id, customerId: row.customer_id };
  return { ...common, amount: Number(row.amount), createdAt: row.created_at, ...details, state } as Payment;
}
