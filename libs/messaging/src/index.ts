export { createEvent, InvalidEventError, parseEvent, type Event, type NewEvent } from './event.ts';
export { Broker, type BrokerOptions } from './broker.kafka.ts';
export type { ConsumerStatus, EventConsumer, Pause } from './consumer.kafka.ts';
export { reads, type Handler, type Handlers } from './handler.ts';
export { claimMessage, forgetOldMessages, INBOX_TABLE } from './inbox.ts';
export { appendToOutbox, OUTBOX_TABLE, outboxRow, type OutboxRow, type Queryable } from './outbox.ts';
export type { Lag } from './lag.ts';
export { OutboxRelay, type OutboxStats, type RelayOptions } from './relay.ts';
export type { MessagingTracing, ProcessedMessage } from './tracing.ts';
