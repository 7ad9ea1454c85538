import { v7 as uuidv7 } from 'uuid';

/** A CloudEvents 1.0 event (https://github.com/cloudevents/spec). `type` ends in its version: `order.paid.v1`. */
export type Event<T = unknown> = {
  specversion: '1.0';
  id: string;
  type: string;
  source: string;
  /** What it is about, for instance the order's id; also the Kafka key, so that events of one subject keep their order. */
  subject: string;
  time: string;
  datacontenttype: 'application/json';
  correlationid?: string;
  traceparent?: string;
  data: T;
};

export type NewEvent<T> = {
  type: string;
  source: string;
  subject: string;
  data: T;
  time: Date;
  /** Default: a new UUIDv7. Give a deterministic one where the event may be made twice. */
  id?: string;
  context?: { correlationId?: string; traceparent?: string };
};

export function createEvent<T>({ type, source, subject, data, time, id, context }: NewEvent<T>): Event<T> {
  return {
    specversion: '1.0',
    id: id ?? uuidv7(),
    type,
    source,
    subject,
    time: time.toISOString(),
    datacontenttype: 'application/json',
    ...(context?.correlationId && { correlationid: context.correlationId }),
    ...(context?.traceparent && { traceparent: context.traceparent }),
    data,
  };
}

/** What arrived is not an event, or its data is not what its type promises. No retry can mend that. */
export class InvalidEventError extends Error {
  readonly code = 'invalid_event';
  readonly poison = true;
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'InvalidEventError';
  }
}

/** Reads the envelope and leaves `data` to the consumer, who knows which of its fields it needs. */
export function parseEvent(value: Buffer | string | null): Event {
  let event: Partial<Event>;
  try {
    event = JSON.parse(String(value)) as Partial<Event>;
  } catch (cause) {
    throw new InvalidEventError('not JSON', { cause });
  }
  for (const field of ['id', 'type', 'source', 'subject'] as const) {
    if (typeof event?.[field] !== 'string')
      throw new InvalidEventError(`no CloudEvents attribute "${field}"`);
  }
  return event as Event;
}
