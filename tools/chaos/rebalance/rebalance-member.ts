import { claimMessage, type Handlers, reads, sqlSequence } from '@cairn/messaging';
import { Broker } from '@cairn/messaging/kafkajs';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

/** What a consumer is made of; `without` leaves one guard out. */
export type MemberOptions = {
  brokers: string[];
  postgres: string;
  topic: string;
  groupId: string;
  without?: string | undefined;
  /** The bugs of `data.kind` are mended: for replays. */
  mended?: boolean;
};

/** What a member says on its way, a line of JSON each. */
export type Said = { event: 'started' | 'held' | 'inverted' | 'old' | 'failed'; what?: string };

/** What is counted. `kind` is how the handler fails, `ms` how long it works. */
export type Counted = { n: number; kind?: 'bug' | 'unlucky'; ms?: number };

const counted = {
  safeParse: (data: unknown) =>
    Number.isInteger((data as Counted).n)
      ? ({ success: true, data: data as Counted } as const)
      : ({ success: false, error: { message: 'n is no integer' } } as const),
};
/** Mended: what is no number counts as the first. */
const lenient = {
  safeParse: (data: unknown) => {
    const { n } = data as Counted;
    return { success: true, data: { ...(data as Counted), n: Number.isInteger(n) ? n : 1 } } as const;
  },
};

/** A consumer that writes one row per message, in the transaction that claims it. */
export function memberOf(options: MemberOptions, say: (said: Said) => void) {
  const { brokers, postgres, topic, groupId, without, mended } = options;
  const db = new pg.Pool({ connectionString: postgres, max: 5 });
  db.on('error', (error) => say({ event: 'failed', what: error.message }));
  const broker = new Broker({ brokers, clientId: `rebalance-${process.pid}` });
  const handlers: Handlers = {
    [topic]: {
      'counted.v1': reads(mended ? lenient : counted, async (data, event, { signal }) => {
        if (data.ms) say({ event: 'started', what: event.id });
        await delay(data.ms ?? 2, undefined, { signal });
        if (data.kind === 'bug' && !mended) (undefined as unknown as { total: () => void }).total();
        if (data.kind === 'unlucky' && !mended) throw new Error('it failed, and nobody knows why');
        await write(db, groupId, event, data.n, without !== 'inbox');
      }),
    },
  };
  const told = (event: Said['event']) => (place: { partition: number; offset: string }) =>
    say({ event, what: `${place.partition}/${place.offset}` });
  const consumer = broker.consumer({
    groupId,
    handlers,
    ...(without !== 'hold' && { sequence: { store: sqlSequence(db), topics: [topic] } }),
    onHeld: told('held'),
    onInverted: told('inverted'),
    onOld: told('old'),
    onError: (error, { outcome }) => say({ event: 'failed', what: `${String(error)}: ${outcome}` }),
    onCrash: (error) => {
      say({ event: 'failed', what: `crashed: ${error.message}` });
      process.exit(1);
    },
  });
  const close = async () => {
    await consumer.stop();
    await broker.close();
    await db.end();
  };
  return { broker, consumer, close };
}

async function write(
  db: pg.Pool,
  groupId: string,
  event: { id: string; subject: string },
  n: number,
  claim: boolean,
) {
  const client = await db.connect();
  try {
    await client.query('BEGIN');
    if (!claim || (await claimMessage(client, groupId, event.id)))
      await client.query('INSERT INTO effect (subject, n) VALUES ($1, $2)', [event.subject, n]);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined); // the connection is gone, and the transaction with it
    throw error;
  } finally {
    client.release();
  }
}

if (import.meta.main) {
  const say = (said: Said) => process.stdout.write(`${JSON.stringify(said)}\n`);
  const { consumer, close } = memberOf(JSON.parse(process.argv[2]!) as MemberOptions, say);
  consumer.start();
  process.once('SIGTERM', () => void close().then(() => process.exit(0)));
}
