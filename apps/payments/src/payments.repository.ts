import { currentContext } from '@cairn/logging';
import { appendToOutbox, claimMessage, createEvent, outboxRow } from '@cairn/messaging';
import { traceparent } from '@cairn/telemetry';
import type { DataSource, EntityManager } from 'typeorm';
import { detailsOf, type Decision, type OrderState, type Payment } from './payment.ts';

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
  order_state: OrderState | null;
};

/** The condition of the index `payment_open`, word for word. */
const OPEN = `
  state IN ('charging', 'refunding')
  OR (state = 'succeeded' AND order_state <> 'paid')
  OR (state = 'failed' AND order_state IN ('pending', 'paid'))
  OR (state = 'refunded' AND order_state NOT IN ('payment_failed', 'refunded'))`;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export class PaymentsRepository {
  constructor(
    private readonly dataSource: DataSource,
    /** Told of each event once it is committed, `payment_succeeded`, and of `payment_refunding`, which is none. */
    private readonly onCommitted: (event: string, payment: Payment) => void = () => {},
  ) {}

  /** The payment of an order: the given one if there was none yet, else the one that is there. */
  async open(payment: Payment): Promise<Payment> {
    await this.dataSource.query(
      `INSERT INTO payment (id, order_id, customer_id, amount, currency, state, created_at, order_state)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (order_id) DO NOTHING`,
      [
        payment.id,
        payment.orderId,
        payment.customerId,
        payment.amount,
        payment.currency,
        payment.state,
        payment.createdAt,
        payment.orderState ?? null,
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

  /**
   * Payments from before a time that are not finished, or whose order does not say what they say, by their ids; `after` is the
   * last id of the page before.
   */
  unfinished(before: Date, limit: number, after?: string): Promise<Payment[]> {
    const where = `(${OPEN}) AND created_at < $1 AND ($3::uuid IS NULL OR id > $3) ORDER BY id LIMIT $2`;
    return this.#select(where, [before, limit, after ?? null]);
  }

  /** The payments among these ids, some of which may be no ids of ours. */
  async byIds(ids: string[]): Promise<Map<string, Payment>> {
    const found = await this.#select('id = ANY($1::uuid[])', [ids.filter((id) => UUID.test(id))]);
    return new Map(found.map((payment) => [payment.id, payment]));
  }

  /** How many payments wait for the gateway, by state. */
  async waiting(): Promise<Record<'charging' | 'refunding', number>> {
    const sql = `SELECT count(*) FILTER (WHERE state = 'charging')::int AS charging,
                        count(*) FILTER (WHERE state = 'refunding')::int AS refunding
                 FROM payment WHERE ${OPEN}`;
    return (await this.dataSource.query<Record<'charging' | 'refunding', number>[]>(sql))[0]!;
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
    if (decision) this.#tell(decision);
    return decision?.payment;
  }

  #tell({ payment, announce }: Decision): void {
    for (const { type } of announce) this.onCommitted(type.replace('.', '_'), payment);
    if (payment.state === 'refunding') this.onCommitted('payment_refunding', payment);
  }

  /** `after` is the version of the row as it is locked; its lock is what leaves no gap and no number twice. */
  async #save(
    tx: EntityManager,
    { payment, announce }: Decision,
    { after, now }: { after: number; now: Date },
  ): Promise<void> {
    await tx.query(
      'UPDATE payment SET state = $2, details = $3, version = $4, order_state = $5 WHERE id = $1',
      [payment.id, payment.state, detailsOf(payment), after + announce.length, payment.orderState ?? null],
    );
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
  const { id, currency, state, details, order_state: orderState } = row;
  const ids = { id, orderId: row.order_id, customerId: row.customer_id };
  const common = { ...ids, currency, ...(orderState && { orderState }) };
  return { ...common, amount: Number(row.amount), createdAt: row.created_at, ...details, state } as Payment;
}
