/** A guard, how to take it out, and the test that must then fail. */
export type Guard = {
  /** What is taken out, as it is called in the docs. */
  name: string;
  file: string;
  /** Stands in the file once. */
  text: string;
  /** What is there without the guard. It must run: a test that fails since nothing loads shows nothing. */
  without: string;
  spec: string;
  /** The title of the test, as it is written in the spec. */
  test: string;
};

const MESSAGING = 'libs/messaging/src';
const RELAY_SPEC = `${MESSAGING}/messaging.int.spec.ts`;

const OUTBOX: Guard[] = [
  {
    name: 'lease: one relay at a time',
    file: `${MESSAGING}/outbox.store.ts`,
    // Two conditions that say the same: the first one spares those who wait a write.
    text: `WHERE NOT EXISTS (SELECT FROM outbox_lease WHERE holder <> $1 AND expires_at >= clock_timestamp())
  ON CONFLICT (only_row) DO UPDATE SET
    holder = excluded.holder,
    epoch = lease.epoch + (lease.holder <> excluded.holder)::int,
    expires_at = excluded.expires_at
  WHERE lease.holder = excluded.holder OR lease.expires_at < clock_timestamp()`,
    without: `WHERE true
  ON CONFLICT (only_row) DO UPDATE SET
    holder = excluded.holder,
    epoch = lease.epoch + (lease.holder <> excluded.holder)::int,
    expires_at = excluded.expires_at`,
    spec: RELAY_SPEC,
    test: 'lets one relay publish at a time, and another take over when its lease has ended',
  },
  {
    name: 'epoch in the delete',
    file: `${MESSAGING}/outbox.store.ts`,
    text: "'SELECT FROM outbox_lease WHERE holder = $HOLDER AND epoch = $EPOCH FOR SHARE'",
    without: "'SELECT WHERE $HOLDER::text IS NOT NULL AND $EPOCH::bigint IS NOT NULL'",
    spec: RELAY_SPEC,
    test: 'does not delete rows when it was paused past its lease while it published',
  },
  {
    name: 'zombie check: the lease is looked at again before a send',
    file: `${MESSAGING}/relay.ts`,
    text: 'if ((await this.#hold())?.epoch !== epoch) return 0;',
    without: '',
    spec: `${MESSAGING}/relay.spec.ts`,
    test: 'that ended while the process was stopped sends nothing, since another relay has it',
  },
  {
    name: 'lock of the lease in the delete',
    file: `${MESSAGING}/outbox.store.ts`,
    text: "epoch = $EPOCH FOR SHARE'",
    without: "epoch = $EPOCH'",
    spec: `${MESSAGING}/outbox.int.spec.ts`,
    test: 'makes a removal wait for a take-over under way, and then removes nothing',
  },
  {
    name: 'serial send',
    file: `${MESSAGING}/publisher.kafka.ts`,
    text: 'const send = this.#sending.then(work);',
    without: 'const send = work();',
    spec: `${MESSAGING}/publisher.spec.ts`,
    test: 'sends one batch after the other, however many are asked for at once',
  },
];

const CONSUMER: Guard[] = [
  {
    name: 'inbox',
    file: `${MESSAGING}/inbox.ts`,
    text: 'return rowsOf(result).length === 1;',
    without: 'return rowsOf(result).length < 2;',
    spec: 'apps/orders/src/orders.service.int.spec.ts',
    // Paid twice would be nothing new to an order; a report announced twice is.
    test: 'is announced once per message, with the sum of what was paid in each currency',
  },
  {
    name: 'per-key hold: what comes too early waits',
    file: `${MESSAGING}/delivery.ts`,
    text: "if (turn === 'held') return { turn };",
    without: '',
    spec: `${MESSAGING}/delivery.spec.ts`,
    test: 'is held until those before it have come, while other subjects go on',
  },
  {
    name: 'row lock while an event is kept back',
    file: `${MESSAGING}/sequence.store.ts`,
    text: 'ON CONFLICT (consumer, source, subject) DO UPDATE SET applied = known.applied',
    without: 'ON CONFLICT (consumer, source, subject) DO NOTHING',
    spec: `${MESSAGING}/sequence.store.int.spec.ts`,
    test: 'whoever applies number %i meanwhile finds what is being held behind it',
  },
  {
    name: 'everything thrown is caught',
    file: `${MESSAGING}/delivery.ts`,
    text: 'return await this.#failed(error, current!, signal);',
    without: 'throw error;',
    spec: RELAY_SPEC,
    test: 'parks a message that ends in %s and goes on with the next',
  },
  {
    name: 'pause for as long as an open circuit says',
    file: `${MESSAGING}/failure.ts`,
    text: 'if (hint !== undefined) return',
    without: 'if (hint === -1) return',
    spec: RELAY_SPEC,
    test: 'pauses its partition for as long as the failure says, and no other; then it goes on by itself',
  },
];

const LETTERS: Guard[] = [
  {
    name: 'key of a dead letter',
    file: `${MESSAGING}/dead-letter.ts`,
    text: 'key: `${groupId}/${from}`,',
    without: 'key: String(message.key),',
    spec: `${MESSAGING}/dead-letter.spec.ts`,
    test: 'has the key of its message and consumer: parking twice makes one letter in a compacted topic',
  },
  {
    name: 'order of replayed letters of one key',
    file: `${MESSAGING}/dead-letters.kafka.ts`,
    text: 'failed.set(key, letter.id);',
    without: '',
    spec: `${MESSAGING}/dead-letters.int.spec.ts`,
    test: 'that fails again is kept with those behind it of its key, and the others go on',
  },
  {
    name: 'replay of the original, not of what was redacted',
    file: `${MESSAGING}/dead-letters.kafka.ts`,
    text: 'if (!redacted) return',
    without: 'if (!redacted || redacted) return',
    spec: `${MESSAGING}/dead-letters.int.spec.ts`,
    test: 'without the secret of its message is replayed from the original, for as long as its topic keeps that',
  },
  {
    name: 'old letters are written anew before compaction',
    file: `${MESSAGING}/topics.kafka.ts`,
    text: 'for (const letter of letters) await send(topic, [letter]);',
    without: '',
    spec: `${MESSAGING}/topics.int.spec.ts`,
    test: 'is compacted from now on, with all its letters, though two of one key were in it',
  },
];

const ORDERS: Guard[] = [
  {
    name: 'row lock of an order',
    file: 'apps/orders/src/orders.repository.ts',
    text: 'WHERE id = $1 FOR UPDATE OF orders',
    without: 'WHERE id = $1',
    spec: 'apps/orders/src/orders.service.int.spec.ts',
    test: 'is cancelled and, if it was paid before, says so, when payment and cancel come at the same moment',
  },
  {
    name: 'numbers of events go on from the locked row',
    file: 'apps/orders/src/orders.repository.ts',
    text: '{ after: row.version, now }',
    without: '{ after: 0, now }',
    spec: 'apps/orders/src/orders.service.int.spec.ts',
    test: 'go on without a gap when some of the changes at one moment decide nothing or fail',
  },
  {
    name: 'time-out of a lock: a key in flight is told so',
    file: 'apps/orders/src/data-source.factory.ts',
    text: 'lock_timeout: config.DATABASE_LOCK_TIMEOUT_MS,',
    without: '',
    spec: 'apps/orders/src/idempotency.int.spec.ts',
    test: 'is told to come back, and makes the order once the other one is dead',
  },
  {
    name: 'idempotency claim',
    file: 'apps/orders/src/orders.repository.ts',
    text: 'INSERT INTO idempotency_key (customer_id, key, fingerprint, response) VALUES ($2, $11, $12, $13)',
    without: 'SELECT $11::text, $12::text, $13::text',
    spec: 'apps/orders/src/orders.confirm.int.spec.ts',
    test: 'makes one order of twenty requests with one key, and answers all of them alike',
  },
];

const OUTSIDE: Guard[] = [
  {
    name: 'key of a charge: the payment, not the attempt',
    file: 'apps/payments/src/gateway.client.ts',
    text: 'key: paymentId,',
    without: 'key: crypto.randomUUID(),',
    spec: 'apps/payments/src/payments.service.int.spec.ts',
    test: 'is settled by the next delivery, under the same key, when a process died after the charge',
  },
  {
    name: 'what a cancelled order comes to is decided under the lock',
    file: 'apps/payments/src/payments.service.ts',
    text: '(p) => cancel(p, now), now',
    without: '() => cancel(opened, now), now',
    spec: 'apps/payments/src/payments.service.int.spec.ts',
    test: 'is made when a payment lands between the question and the closing',
  },
  {
    name: 'key of a refund',
    file: 'apps/payments/src/gateway.client.ts',
    text: 'const key = `refund-${paymentId}`;',
    without: 'const key = `refund-${crypto.randomUUID()}`;',
    spec: 'apps/payments/src/payments.service.int.spec.ts',
    test: 'is made once, however often its message comes and whoever dies in between',
  },
  {
    name: 'S3: If-None-Match',
    file: 'apps/worker/src/files.store.ts',
    text: "IfNoneMatch: '*',",
    without: '',
    spec: 'apps/worker/src/receipts.service.int.spec.ts',
    test: 'keeps the first of two files of one name, and reports its size to the second writer',
  },
  {
    name: 'stable Message-ID',
    file: 'apps/notifications/src/notification.ts',
    text: 'return `<${encodeURIComponent(eventId)}@${domain}>`;',
    without: 'return `<${encodeURIComponent(eventId)}.${Math.random()}@${domain}>`;',
    spec: 'apps/notifications/src/notifications.service.int.spec.ts',
    test: 'is sent again under the same Message-ID when a process died between sending and recording',
  },
];

const SCHEDULER: Guard[] = [
  {
    name: 'claim of a tick: a look may be old',
    file: 'apps/scheduler/src/runs.repository.ts',
    text: 'WHERE $6::timestamptz > clock_timestamp() -',
    without: 'WHERE $6::timestamptz IS NOT NULL OR now() > now() -',
    spec: 'apps/scheduler/src/runs.repository.int.spec.ts',
    test: 'is not announced on a look that is old, as of a replica that was paused',
  },
  {
    name: "the database's clock",
    file: 'apps/scheduler/src/runs.repository.ts',
    text: 'return { now: rows[0]!.now, last: new Map(known) };',
    without: 'return { now: new Date(), last: new Map(known) };',
    spec: 'apps/scheduler/src/runs.repository.int.spec.ts',
    test: 'announce what is due by the clock of the database (%i ms)',
  },
];

export const GUARDS: Guard[] = [...OUTBOX, ...CONSUMER, ...LETTERS, ...ORDERS, ...OUTSIDE, ...SCHEDULER];
