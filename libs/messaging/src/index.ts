export { createEvent, InvalidEventError, parseEvent, type Event, type NewEvent } from './event.ts';
export { Broker, type BrokerOptions } from './broker.kafka.ts';
export {
  reads,
  type ConsumerStatus,
  type EventConsumer,
  type Handler,
  type Handlers,
  type Pause,
} from './consumer.kafka.ts';
export { claimMessage, forgetOldMessages, INBOX_TABLE } from './inbox.ts';
export { appendToOutbox, OUTBOX_TABLE, outboxRow, type OutboxRow, type Queryable } from './outbox.ts';
export { OutboxRelay, type RelayOptions } from './relay.ts';
