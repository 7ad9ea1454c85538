import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { placesFrom } from '../../demo/places.ts';
import { readMessages, type ReadMessage } from '../../demo/topic.reader.ts';
import { databaseUrl, WITH_DATABASE, type AppName, type LaunchOptions } from '../../local/apps.ts';
import { stackDir } from '../../stack/paths.ts';
import type { Books, ChargeRow, Leftovers, OrderRow, PaymentRow, SeenEvent } from './audit-books.ts';

const ASK_TIMEOUT_MS = 3000;
const DEAD_LETTERS = /\.dead-letter$/;

/** Reads everybody's books, each where it is kept, past the apps and past every proxy. */
export class BooksReader {
  readonly #launch: LaunchOptions;

  constructor(launch: LaunchOptions) {
    this.#launch = launch;
  }

  async read(): Promise<Omit<Books, 'intents'>> {
    const [orders, payments, leftovers, messages, receipts] = await Promise.all([
      this.orders(),
      this.payments(),
      this.leftovers(),
      readMessages(this.#launch.engines['KAFKA_BROKERS']!.split(','), /^(?!__)/),
      this.receipts(),
    ]);
    const events = messages.filter(({ topic }) => !DEAD_LETTERS.test(topic)).map(eventOf);
    leftovers['dead letters'] = deadLetters(messages).length;
    return { orders, payments, leftovers, events, receipts, charges: this.charges(), mails: this.mails() };
  }

  async orders(): Promise<OrderRow[]> {
    const rows = await this.#ask<OrderRow & { total: string; reason: string | null }>(
      'orders',
      `SELECT id, customer_id AS customer, draft_id AS "draftId", currency, total, state,
              CASE WHEN state IN ('cancelled', 'refunded') THEN details ->> 'reason' END AS reason
       FROM orders`,
    );
    return rows.map(({ reason, ...row }) => ({
      ...row,
      total: Number(row.total),
      ...(reason !== null && { reason }),
    }));
  }

  async payments(): Promise<PaymentRow[]> {
    const rows = await this.#ask<PaymentRow>(
      'payments',
      'SELECT id, order_id AS "orderId", currency, amount, state FROM payment',
    );
    return rows.map((row) => ({ ...row, amount: Number(row.amount) }));
  }

  /** What waits somewhere. All of it 0 is what settled looks like from the databases. */
  async leftovers(): Promise<Leftovers> {
    const left: Leftovers = {};
    const count = async (app: AppName, what: string, sql: string) => {
      left[what] = Number((await this.#ask<{ count: string }>(app, sql))[0]!.count);
    };
    await Promise.all([
      ...WITH_DATABASE.flatMap((app) =>
        ['outbox', 'inbox_held'].map(async (table) => {
          const [{ there } = { there: false }] = await this.#ask<{ there: boolean }>(
            app,
            `SELECT to_regclass('${table}') IS NOT NULL AS there`,
          );
          if (there) await count(app, `rows in ${table} of ${app}`, `SELECT count(*) FROM ${table}`);
        }),
      ),
      count('orders', 'pending orders', `SELECT count(*) FROM orders WHERE state = 'pending'`),
      count(
        'payments',
        'unsettled payments',
        `SELECT count(*) FROM payment WHERE state IN ('charging', 'refunding')`,
      ),
      count(
        'notifications',
        'notifications that were not sent',
        `SELECT count(*) FROM notification WHERE state <> 'sent'`,
      ),
    ]);
    return left;
  }

  /** Out of the journal of the gateway itself, which is what the bank would see. */
  charges(): ChargeRow[] {
    return chargesOf(linesOf(join(stackDir(this.#launch.stack), 'data/gateway.jsonl')));
  }

  /** Every e-mail that the mail server keeps, by its Message-ID. */
  mails(): string[] {
    const folder = join(stackDir(this.#launch.stack), 'data/mail');
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((file) => file.endsWith('.eml'))
      .flatMap((file) => {
        // One without is being written right now, and counts the next time.
        const [, id] = /^message-id:\s*(<[^>]*>)/im.exec(readFileSync(join(folder, file), 'utf8')) ?? [];
        return id === undefined ? [] : [id];
      });
  }

  /** For people who watch. @throws while the database is away */
  async inShort(): Promise<string> {
    const [row] = await this.#ask<{ orders: string; paid: string; waiting: string }>(
      'orders',
      `SELECT count(*) AS orders, count(*) FILTER (WHERE state = 'paid') AS paid,
              count(*) FILTER (WHERE state = 'pending') AS waiting
       FROM orders`,
    );
    return `${row!.orders} stored, ${row!.paid} paid, ${row!.waiting} waiting`;
  }

  async receipts(): Promise<string[]> {
    const { endpoint, region, bucket, accessKeyId, secretAccessKey } = placesFrom(this.#launch.engines).s3;
    const credentials = { accessKeyId, secretAccessKey };
    const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
    try {
      const keys: string[] = [];
      for (let next: string | undefined, more = true; more; more = next !== undefined) {
        const page = await client.send(
          new ListObjectsV2Command({ Bucket: bucket, Prefix: 'receipts/', ContinuationToken: next }),
        );
        keys.push(...(page.Contents ?? []).map(({ Key }) => Key!));
        next = page.NextContinuationToken;
      }
      return keys;
    } finally {
      client.destroy();
    }
  }

  async #ask<Row extends object>(app: AppName, sql: string): Promise<Row[]> {
    const client = new pg.Client({
      connectionString: databaseUrl(this.#launch.engines['POSTGRES_URL']!, app),
      connectionTimeoutMillis: ASK_TIMEOUT_MS,
      query_timeout: ASK_TIMEOUT_MS,
    });
    // A server that is restarted under it: the query tells, and nobody else has to.
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end();
    }
  }
}

type Entry =
  | {
      type: 'charge';
      key: string;
      charge: Omit<ChargeRow, 'key' | 'succeeded' | 'refunded'> & { status: string };
    }
  | { type: 'refund'; refund: { chargeId: string; amount: number } }
  | { type: 'reset' };

function chargesOf(entries: Entry[]): ChargeRow[] {
  const charges = new Map<string, ChargeRow>();
  for (const entry of entries) {
    if (entry.type === 'reset') charges.clear();
    if (entry.type === 'charge') {
      const { id, reference, currency, amount, status } = entry.charge;
      const succeeded = status === 'succeeded';
      charges.set(id, { id, key: entry.key, reference, currency, amount, succeeded, refunded: 0 });
    }
    if (entry.type === 'refund') charges.get(entry.refund.chargeId)!.refunded += entry.refund.amount;
  }
  return [...charges.values()];
}

/** Whole lines only: the last one may be half written as it is read. */
function linesOf(file: string): Entry[] {
  if (!existsSync(file)) return [];
  const text = readFileSync(file, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Entry);
}

function eventOf({ topic, partition, offset, value = '{}' }: ReadMessage): SeenEvent {
  const { id, type, source, subject, sequence } = JSON.parse(value) as Record<string, string>;
  return {
    ...{ topic, partition, offset, id: id!, type: type!, source: source!, subject: subject! },
    ...(sequence !== undefined && { sequence: Number(sequence) }),
  };
}

/** The last of each key that is not a tombstone: one that was replayed or dropped has gone. */
function deadLetters(messages: ReadMessage[]): ReadMessage[] {
  const last = new Map<string, ReadMessage>();
  for (const message of messages.filter(({ topic }) => DEAD_LETTERS.test(topic)))
    last.set(`${message.topic} ${message.key ?? message.offset}`, message);
  return [...last.values()].filter(({ value }) => value !== undefined);
}
