export {
  createEvent,
  InvalidEventError,
  parseEvent,
  sequenceOf,
  type Event,
  type NewEvent,
} from './event.ts';
export { Delivery, type DeliveryOptions, type Message } from './delivery.ts';
export {
  deadLetterTopic,
  letterOf,
  readLetter,
  UnknownLetterError,
  type DeadLetter,
  type Letter,
  type LetterFilter,
  type LetterOutcome,
  type LetterProgress,
  type ReceivedMessage,
} from './dead-letter.ts';
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
export { sqlOutbox, type SqlOutboxOptions } from './outbox.store.ts';
export type { Lag } from './lag.ts';
export { listenTo, notifyOutbox, OutboxSignal, type Listen, type ListeningClient } from './signal.ts';
export { OutboxRelay, type RelayOptions } from './relay.ts';
export type { MessagingTracing, ProcessedMessage } from './tracing.ts';
export type { HeldEvent, HeldKey, Numbered, Place, SequenceStore, Turn } from './sequence.ts';
export { SEQUENCE_TABLES, sqlSequence } from './sequence.store.ts';
