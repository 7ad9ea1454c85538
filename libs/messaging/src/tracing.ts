import type { Event } from './event.ts';

/**
 * What traces messages, by its shape: `telemetry.messaging` of @cairn/telemetry has it, and so may a few lines of your
 * own. None of it may throw.
 */
export type MessagingTracing = {
  /**
   * Begins the span of a row on its way to the broker. Its `traceparent` goes into the message's header; `end` is called
   * when the broker has acknowledged the row, or with what went wrong. Undefined: the event's own is handed on.
   */
  published(message: {
    topic: string;
    key: string;
    event: Event;
    createdAt?: Date;
  }): { traceparent: string; end(error?: unknown): void } | undefined;
  /** Runs the handler in a span of its own; `attempt` is 1 for the first try. */
  process<T>(message: ProcessedMessage, work: () => Promise<T>): Promise<T>;
  /** Told of each message that went to its dead-letter topic. */
  parked(letter: { topic: string; groupId: string }): void;
};

export type ProcessedMessage = {
  topic: string;
  partition: number;
  offset: string;
  groupId: string;
  event: Event;
  attempt: number;
};

export const NOT_TRACED: MessagingTracing = {
  published: () => undefined,
  process: (_, work) => work(),
  parked: () => {},
};
