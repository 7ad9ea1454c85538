export {
  createEvent,
  InvalidEventError,
  parseEvent,
  sequenceOf,
  type Event,
  type NewEvent,
} from './event.ts';
export { Broker, type BrokerOptions } from './broker.kafka.ts';
export { MessageRefusedError } from './publisher.kafka.ts';
export type { ConsumerStatus, EventConsumer, Pause } from './consumer.kafka.ts';
export { Delivery, type DeliveryOptions, type Message } from './delivery.ts';
export type { Letter } from './dead-letter.ts';
export {
  DeadLetters,
  UnknownLetterError,
  type LetterFilter,
  type LetterOutcome,
  type LetterProgress,
} from './dead-letters.kafka.ts';
export { reads, type Handler, type Handlers } from './handler.ts';
export { claimMessage, forgetOldMessages, INBOX_TABLE } from './inbox.ts';
export {
  appendToOutbox,
  OUTBOX_PARKING,
  OUTBOX_TABLE,
  outboxRow,
  type OutboxRow,
  type OutboxStats,
  type OutboxStore,
  type Queryable,
  type StoredRow,
} from './outbox.ts';
export { sqlOutbox } from './outbox.store.ts';
export type { Lag } from './lag.ts';
export { listenTo, notifyOutbox, OutboxSignal, type Listen, type ListeningClient } from './signal.ts';
export { OutboxRelay, type RelayOptions } from './relay.ts';
export type { MessagingTracing, ProcessedMessage } from './tracing.ts';
export type { HeldEvent, HeldKey, Numbered, Place, SequenceStore, Turn } from './sequence.ts';
export { SEQUENCE_TABLES, sqlSequence } from './sequence.store.ts';
