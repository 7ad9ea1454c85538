import { consumerCheck, outboxCheck } from '@cairn/lifecycle';
import { newContext, withContext } from '@cairn/logging';
import {
  listenTo,
  OutboxRelay,
  OutboxSignal,
  sqlSequence,
  type Handlers,
  type Queryable,
} from '@cairn/messaging';
import { Broker, type EventConsumer } from '@cairn/messaging/kafkajs';
import type { Pipeline } from '@cairn/resilience';
import { observe } from '@cairn/resilience/otel';
import { DatabaseProbe } from './database.probe.ts';
import { listeningClient } from './listening-client.factory.ts';
import { logFields } from './log-fields.ts';
import type { Platform } from './platform.ts';

/** What is needed of a TypeORM data source. */
type Database = {
  isInitialized: boolean;
  initialize(): Promise<unknown>;
  destroy(): Promise<void>;
};

/** Attaches PostgreSQL: start-up waits for it, and readiness asks it, on a connection beside the pool. */
export function attachDatabase({ services, service }: Platform, database: Database, url: string): void {
  const probe = new DatabaseProbe(url, service);
  services.attach('postgres', {
    connect: () => database.initialize(),
    disconnect: async () => {
      probe.close();
      if (database.isInitialized) await database.destroy();
    },
    check: (signal) => probe.ask(signal),
  });
}

/** Attaches Kafka. Start-up does not wait for it: orders are taken without a broker, the outbox keeps what they announce. */
export function attachBroker(
  platform: Platform,
  { KAFKA_BROKERS: brokers, KAFKA_TLS: tls }: { KAFKA_BROKERS: string[]; KAFKA_TLS: boolean },
): Broker {
  const { services, service, telemetry, redactor, logger } = platform;
  const broker = new Broker({
    brokers,
    tls,
    clientId: service,
    tracing: telemetry.messaging,
    redact: (text) => redactor.text(text),
    onLog: (line) => logger.warn({ event: 'kafka', ...line }),
  });
  services.attach('kafka', {
    critical: false,
    connect: () => broker.ping(),
    // A ping that hangs says nothing about the producer, which the relay may be using.
    abandon: () => {},
    disconnect: () => broker.close(),
    check: () => broker.ping(),
  });
  return broker;
}

/**
 * The service's consumer: each event is handled under its correlation id, and what happens to it is logged. Of the
 * topics in `ordered`, each event is applied in its turn; `db` has the tables of `SEQUENCE_TABLES`.
 */
export function eventConsumer(
  { service, logger, health, telemetry }: Platform,
  broker: Broker,
  handlers: Handlers,
  ordered?: { db: Queryable; topics: string[] },
): EventConsumer {
  const outOfOrder = telemetry.counter('messaging.out_of_order', {
    unit: '{message}',
    description: 'Messages that did not come in their turn',
  });
  const count = (outcome: string) => (message: { topic: string; partition: number; offset: string }) => {
    outOfOrder.add(1, {
      'messaging.destination.name': message.topic,
      'messaging.consumer.group.name': service,
      outcome,
    });
    // A double is everyday: whatever is sent again comes again.
    logger[outcome === 'old' ? 'debug' : 'warn']({ event: `event_${outcome}`, ...message });
  };
  return broker.consumer({
    groupId: service,
    handlers,
    ...(ordered && { sequence: { store: sqlSequence(ordered.db), topics: ordered.topics } }),
    onHeld: count('held'),
    onInverted: count('inverted'),
    onOld: count('old'),
    around: ({ correlationid: correlationId }, handle) => withContext(newContext({ correlationId }), handle),
    onError: (err, message) => logger.warn({ event: 'event_failed', err, ...message }),
    onPause: (pause) => logger.warn({ event: 'partition_paused', ...logFields(pause) }),
    onResume: (pause) => logger.info({ event: 'partition_resumed', ...logFields(pause) }),
    onCrash: (error) => health.crashed('consumer', error.message),
  });
}

/**
 * The relay of a service's outbox, and the signal to give after each commit that added to it. The relay listens on a connection
 * of its own to the database at `url`, while it runs.
 */
export function outboxRelay(
  { logger, service }: Platform,
  { db, url, broker, pollMs }: { db: Queryable; url: string; broker: Broker; pollMs: number },
): { relay: OutboxRelay; signal: OutboxSignal } {
  const relay = new OutboxRelay({
    db,
    pollMs,
    publish: (rows) => broker.publish(rows),
    listen: listenTo(() => listeningClient(url, service), {
      onError: (err) => logger.warn({ event: 'outbox_listen_failed', err }),
    }),
    onParked: ({ id, topic, key }, err) =>
      logger.error({ event: 'outbox_row_parked', row: id, topic, key, err }),
    onError: (err) => logger.warn({ event: 'outbox_relay_failed', err }),
  });
  const signal = new OutboxSignal({
    db,
    wake: () => relay.wake(),
    onError: (err) => logger.warn({ event: 'outbox_notify_failed', err }),
  });
  return { relay, signal };
}

/**
 * Starts what a process consumes and publishes with, and measures both. A consumer that has not joined or a row that waits
 * for a minute degrades the process; a consumer that crashed for good ends it.
 */
export function startFlow(
  { service, health, telemetry }: Platform,
  { consumer, relay }: { consumer?: EventConsumer; relay?: OutboxRelay },
): void {
  consumer?.start();
  relay?.start();
  if (consumer) health.add('consumer', consumerCheck(consumer), { critical: false });
  if (relay) health.add('outbox', outboxCheck(relay), { critical: false });
  telemetry.observeFlow({
    ...(consumer && { consumers: { [service]: consumer } }),
    ...(relay && { relay }),
  });
}

/** Logs what the circuits do, and measures all that the policies do. */
export function watchPolicies({ logger, telemetry }: Platform, ...policies: Pipeline[]): void {
  for (const each of policies) {
    each.on('stateChange', ({ pipeline, from, to }) =>
      logger.warn({ event: `circuit_${to}`, dependency: pipeline, from }),
    );
  }
  observe(policies, { meter: telemetry.meter });
}
