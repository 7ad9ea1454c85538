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
  /**
   * Which event of its subject this is, in decimal: 1, 2, 3 … without gaps, counted by source and subject. A consumer
   * can tell by it that one is missing or came too early
   * (https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/sequence.md).
   */
  sequence?: string;
  sequencetype?: 'Integer';
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
  /** Which event of its subject this is, from 1 to 2,147,483,647. Default: none, for events that stand alone. */
  sequence?: number;
  context?: { correlationId?: string; traceparent?: string };
};

/** The extension's integer is signed and has 32 bits. */
const LAST_SEQUENCE = 2 ** 31 - 1;

/** @throws RangeError for a `sequence` that is not a whole number from 1 to 2,147,483,647 */
export function createEvent<T>(event: NewEvent<T>): Event<T> {
  const { type, source, subject, data, time, id, sequence, context } = event;
  if (sequence !== undefined && !isSequence(sequence))
    throw new RangeError(`sequence must be a whole number from 1 to ${LAST_SEQUENCE}, got ${sequence}`);
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
    ...(sequence !== undefined && { sequence: String(sequence), sequencetype: 'Integer' as const }),
    data,
  };
}

const isSequence = (value: number) => Number.isInteger(value) && value >= 1 && value <= LAST_SEQUENCE;

/**
 * Which event of its subject this is; undefined for one that carries no number.
 * @throws InvalidEventError for a number that is none: no order can be told by it
 */
export function sequenceOf({ sequence }: Pick<Event, 'sequence'>): number | undefined {
  if (sequence === undefined) return undefined;
  const value = Number(sequence);
  if (typeof sequence !== 'string' || String(value) !== sequence || !isSequence(value))
    throw new InvalidEventError(`sequence is no positive integer: ${JSON.stringify(sequence)}`);
  return value;
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
