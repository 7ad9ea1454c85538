import {
  appendToOutbox,
  claimMessage,
  createEvent,
  forgetOldMessages,
  outboxRow,
  type NewEvent,
  type OutboxRow,
} from '@cairn/messaging';
import { currentContext } from '@cairn/logging';
import { traceparent } from '@cairn/telemetry';
import { DataSource, type EntityManager } from 'typeorm';
import { detailsOf, type Decision, type Line, type Order } from './order.ts';

export const ORDERS_TOPIC = 'orders';

/** The consumer name under which orders remembers what it has handled. */
const CONSUMER = 'orders';

export type StoredReply = { fingerprint: string; response: string };

type Row = {
  id: string;
  customer_id: string;
  draft_id: string;
  email: string;
  currency: string;
  total: string;
  state: Order['state'];
  details: Record<string, unknown>;
  created_at: Date;
  version: number;
  lines: Line[];
};

const SELECT_ORDER = `
  SELECT orders.*, (
    SELECT json_agg(json_build_object('sku', sku, 'name', name, 'quantity', quantity, 'unitPrice', unit_price) ORDER BY position)
    FROM order_line WHERE order_id = orders.id
  ) AS lines
  FROM orders`;

export class OrdersRepository {
  constructor(
    private readonly dataSource: DataSource,
    /** Told of each event once it is committed: `order_confirmed`. */
    private readonly onCommitted: (event: string, order: Order) => void = () => {},
  ) {}

  /**
   * Order, lines, outbox rows and idempotency key in ONE statement: one round trip, all or nothing.
   * @throws the driver's unique violation when the key or the draft was used before (`usedBefore` tells which), and its
   * lock time-out when another transaction that uses them is still under way (`isInFlight`).
   */
  async insert({ order, announce }: Decision, key: string, reply: StoredReply): Promise<void> {
    await this.dataSource.query(
      `WITH the_order AS (
         INSERT INTO orders (id, customer_id, draft_id, email, currency, total, state, details, created_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $15)
       ), lines AS (
         INSERT INTO order_line (order_id, position, sku, name, quantity, unit_price)
         SELECT $1, position, line ->> 'sku', line ->> 'name', (line ->> 'quantity')::int, (line ->> 'unitPrice')::bigint
         FROM json_array_elements($10::json) WITH ORDINALITY AS row (line, position)
       ), the_key AS (
         INSERT INTO idempotency_key (customer_id, key, fingerprint, response) VALUES ($2, $11, $12, $13)
       )
       INSERT INTO outbox (topic, key, event)
       SELECT topic, key, event FROM json_to_recordset($14) AS row (topic text, key text, event json)`,
      [
        order.id,
        order.customerId,
        order.draftId,
        order.email,
        order.currency,
        order.total,
        order.state,
        detailsOf(order),
        order.createdAt,
        JSON.stringify(order.lines),
        key,
        reply.fingerprint,
        reply.response,
        JSON.stringify(outboxRowsOf({ order, announce }, { after: 0, now: order.createdAt })),
        announce.length,
      ],
    );
    this.#tell({ order, announce });
  }

  /** Which rule a failed `insert` ran into, if it was one of ours. */
  static usedBefore(error: unknown): 'key' | 'draft' | undefined {
    const { code, table } = causeOf(error);
    if (code !== '23505') return undefined;
    return table === 'idempotency_key' ? 'key' : table === 'orders' ? 'draft' : undefined;
  }

  /** Whether a failed `insert` waited in vain for another one that has its key or its draft (lock_not_available). */
  static isInFlight(error: unknown): boolean {
    return causeOf(error).code === '55P03';
  }

  /**
   * Locks the row, decides, saves and appends the events in one transaction. `decide` is synchronous, so nothing
   * remote can be awaited while the row is locked. Undefined when there is no such order or nothing was decided.
   */
  async update(
    id: string,
    decide: (order: Order) => Decision | undefined,
    { now, messageId }: { now: Date; messageId?: string },
  ): Promise<Order | undefined> {
    const decision = await this.dataSource.transaction(async (tx) => {
      if (messageId && !(await claimMessage(tx, CONSUMER, messageId))) return undefined;
      const [row] = await tx.query<Row[]>(`${SELECT_ORDER} WHERE id = $1 FOR UPDATE OF orders`, [id]);
      const decided = row && decide(orderOf(row));
      if (decided) await this.#save(tx, decided, { after: row.version, now });
      return decided;
    });
    if (decision) this.#tell(decision);
    return decision?.order;
  }

  #tell({ order, announce }: Decision): void {
    for (const { type } of announce) this.onCommitted(type.replace('.', '_'), order);
  }

  async #save(tx: EntityManager, decision: Decision, numbering: Numbering): Promise<void> {
    const { order, announce } = decision;
    await tx.query('UPDATE orders SET state = $2, details = $3, version = $4 WHERE id = $1', [
      order.id,
      order.state,
      detailsOf(order),
      numbering.after + announce.length,
    ]);
    await appendToOutbox(tx, outboxRowsOf(decision, numbering));
  }

  async find(customerId: string, id: string): Promise<Order | undefined> {
    const rows = await this.dataSource.query<Row[]>(`${SELECT_ORDER} WHERE id = $2 AND customer_id = $1`, [
      customerId,
      id,
    ]);
    return rows[0] && orderOf(rows[0]);
  }

  /** Newest first; `after` is the id of the last order of the page before. */
  async page(customerId: string, limit: number, after?: string): Promise<Order[]> {
    const rows = await this.dataSource.query<Row[]>(
      `${SELECT_ORDER} WHERE customer_id = $1 AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $2`,
      [customerId, limit, after ?? null],
    );
    return rows.map(orderOf);
  }

  async orderOfDraft(customerId: string, draftId: string): Promise<string | undefined> {
    const sql = 'SELECT id FROM orders WHERE customer_id = $1 AND draft_id = $2';
    return (await this.dataSource.query<{ id: string }[]>(sql, [customerId, draftId]))[0]?.id;
  }

  async findReply(customerId: string, key: string): Promise<StoredReply | undefined> {
    const sql = 'SELECT fingerprint, response FROM idempotency_key WHERE customer_id = $1 AND key = $2';
    return (await this.dataSource.query<StoredReply[]>(sql, [customerId, key]))[0];
  }

  async pendingSince(before: Date, limit: number): Promise<string[]> {
    const sql = `SELECT id FROM orders WHERE state = 'pending' AND created_at < $1 ORDER BY created_at LIMIT $2`;
    return (await this.dataSource.query<{ id: string }[]>(sql, [before, limit])).map(({ id }) => id);
  }

  async forgetReplies(keepDays: number): Promise<number> {
    const sql = `WITH gone AS (DELETE FROM idempotency_key WHERE created_at < now() - make_interval(days => $1) RETURNING 1)
                 SELECT count(*)::int AS count FROM gone`;
    return (await this.dataSource.query<{ count: number }[]>(sql, [keepDays]))[0]!.count;
  }

  forgetMessages(keepDays: number): Promise<number> {
    return forgetOldMessages(this.dataSource, keepDays);
  }

  /**
   * What was paid on one day (UTC), per currency, announced once per message.
   * Orders that were cancelled since are left out.
   */
  closeSalesDay(date: string, { now, messageId }: { now: Date; messageId: string }): Promise<void> {
    return this.dataSource.transaction(async (tx) => {
      if (!(await claimMessage(tx, CONSUMER, messageId))) return;
      const totals = await tx.query<{ currency: string; orders: number; total: string }[]>(
        `SELECT currency, count(*)::int AS orders, sum(total) AS total FROM orders
         WHERE state = 'paid' AND details ->> 'paidAt' >= $1 AND details ->> 'paidAt' < $2
         GROUP BY currency ORDER BY currency`,
        [date, nextDay(date)],
      );
      const data = { date, totals: totals.map((t) => ({ ...t, total: Number(t.total) })) };
      await appendToOutbox(tx, [rowOf({ type: 'sales.day_closed', subject: date, data, time: now })]);
    });
  }
}

/** What the driver said, which TypeORM wraps. */
const causeOf = (error: unknown) =>
  ((error as { driverError?: unknown }).driverError ?? error) as { code?: unknown; table?: unknown };

/** The version of the row as it is locked; its lock is what leaves no gap and no number twice. */
type Numbering = { after: number; now: Date };

function outboxRowsOf({ order, announce }: Decision, { after, now }: Numbering): OutboxRow[] {
  return announce.map(({ type, data }, i) =>
    rowOf({ type, subject: order.id, data, time: now, sequence: after + 1 + i }),
  );
}

function rowOf(event: Omit<NewEvent<unknown>, 'source' | 'context'>): OutboxRow {
  const context = { ...currentContext(), traceparent: traceparent() };
  return outboxRow(
    ORDERS_TOPIC,
    createEvent({ ...event, type: `${event.type}.v1`, source: '/orders', context }),
  );
}

function orderOf(row: Row): Order {
  const { id, email, currency, lines } = row;
  const common = { id, email, currency, lines, customerId: row.customer_id, draftId: row.draft_id };
  return {
    ...common,
    total: Number(row.total),
    createdAt: row.created_at,
    ...row.details,
    state: row.state,
  } as Order;
}

function nextDay(date: string): string {
  const day = new Date(`${date}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() + 1);
  return day.toISOString().slice(0, 10);
}
