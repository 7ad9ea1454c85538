import { claimMessage, createEvent, INBOX_TABLE, outboxRow, reads } from '@cairn/messaging';
import { Broker } from '@cairn/messaging/kafkajs';
import pg from 'pg';
import { z } from 'zod';

const due = z.object({ job: z.string(), tick: z.iso.datetime(), attempt: z.number() });
type Due = z.infer<typeof due>;

/** Every so many runs do their work and die before they can say so; others fail at first. */
const SILENT_EVERY = 7;
const FAILING_EVERY = 11;

export type ExecutorOptions = {
  /** Of the scheduler: it has a schema of its own there. */
  databaseUrl: string;
  brokers: string[];
  /** Job → who has to report it. */
  doneBy: Record<string, string[]>;
};

/** Does the jobs as services do: claims the message and leaves the effect, a row, in one transaction; then reports. */
export class Executor {
  readonly #pool: pg.Pool;
  readonly #broker: Broker;
  readonly #consumer: ReturnType<Broker['consumer']>;
  readonly #doneBy: Record<string, string[]>;
  readonly #seen = new Map<string, number>();
  deliveries = 0;

  constructor({ databaseUrl, brokers, doneBy }: ExecutorOptions) {
    this.#pool = new pg.Pool({ connectionString: databaseUrl, max: 3, options: '-c search_path=chaos' });
    this.#pool.on('error', () => {}); // a query that needs the connection says so itself
    this.#broker = new Broker({ brokers, clientId: 'chaos-executor' });
    this.#doneBy = doneBy;
    this.#consumer = this.#broker.consumer({
      groupId: 'chaos-executor',
      handlers: { jobs: { 'job.due.v1': reads(due, (run, { id }) => this.#handle(run, id)) } },
    });
  }

  async start(): Promise<void> {
    await this.#pool.query(`CREATE SCHEMA chaos; ${INBOX_TABLE}
      CREATE TABLE effect (job text NOT NULL, tick timestamptz NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp())`);
    this.#consumer.start();
  }

  async stop(): Promise<void> {
    await this.#consumer.stop();
    await this.#broker.close();
    await this.#pool.end();
  }

  async #handle(run: Due, messageId: string): Promise<void> {
    this.deliveries++;
    const delivery = (this.#seen.get(messageId) ?? 0) + 1;
    this.#seen.set(messageId, delivery);
    const number = this.#seen.size;
    if (delivery === 1 && number % FAILING_EVERY === 0)
      throw new Error(`run ${messageId} fails at first, as it was told to`);
    await this.#effect(run, messageId);
    if (delivery === 1 && number % SILENT_EVERY === 0) return;
    await this.#report(run, messageId);
  }

  async #effect({ job, tick }: Due, messageId: string): Promise<void> {
    const client = await this.#pool.connect();
    try {
      await client.query('BEGIN');
      if (await claimMessage(client, 'chaos', messageId))
        await client.query('INSERT INTO effect (job, tick) VALUES ($1, $2)', [job, tick]);
      await client.query('COMMIT');
      client.release();
    } catch (error) {
      client.release(error as Error);
      throw error;
    }
  }

  #report({ job, tick, attempt }: Due, messageId: string): Promise<void> {
    const rows = (this.#doneBy[job] ?? []).map((service) =>
      outboxRow(
        'job-reports',
        createEvent({
          ...{ type: 'job.finished.v1', source: `/${service}`, subject: job, time: new Date() },
          id: `${messageId}/${service}/${attempt}/done`,
          data: { job, tick, attempt, service, outcome: 'done', tookMs: 0 },
        }),
      ),
    );
    return this.#broker.publish(rows);
  }
}
