export { Broker, type BrokerOptions } from '../broker.kafka.ts';
export type { ConsumerStatus, EventConsumer, Pause } from '../consumer.kafka.ts';
export { DeadLetters } from '../dead-letters.kafka.ts';
export { MessageRefusedError } from '../publisher.kafka.ts';
