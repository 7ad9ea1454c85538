import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  trace,
  type Attributes,
  type Context,
  type Meter,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { DURATION_BUCKETS } from './http.hooks.ts';
import { errorType, failed, parseTraceparent, traceparentOf } from './spans.ts';

/** What is read of an event. */
export type EventShape = { id: string; type: string; traceparent?: string; correlationid?: string };

/** An outbox row on its way to the broker. */
export type OutgoingMessage = {
  topic: string;
  key: string;
  event: EventShape;
  /** When the row was made, so that its time in the outbox is part of the span. Default: now. */
  createdAt?: Date;
};

/** A message in the hands of a consumer. `event.traceparent` is the producer's, from the message's header. */
export type IncomingMessage = {
  topic: string;
  partition: number;
  offset: string;
  groupId: string;
  event: EventShape;
  /** 1 for the first time that it is handled, 2 for the next, … */
  attempt: number;
};

/** The shape that `Broker({ tracing })` of @cairn/messaging takes. */
export type MessagingTracing = {
  /**
   * Begins the span of a row that is being published; its `traceparent` goes into the message. Undefined when the row
   * belongs to no sampled trace: then the row's own `traceparent`, if it has one, is handed on as it is.
   */
  published(message: OutgoingMessage): { traceparent: string; end(error?: unknown): void } | undefined;
  /** Runs a handler in a span that continues the producer's trace, and measures it. */
  process<T>(message: IncomingMessage, work: () => Promise<T>): Promise<T>;
  /** Counts a message that went to its dead-letter topic. */
  parked(letter: { topic: string; groupId: string }): void;
};

/** https://opentelemetry.io/docs/specs/semconv/messaging/kafka/ */
export function messagingTracing({ tracer, meter }: { tracer: Tracer; meter: Meter }): MessagingTracing {
  const duration = meter.createHistogram('messaging.process.duration', {
    unit: 's',
    description: 'Duration of handling a message, each try by itself',
    advice: { explicitBucketBoundaries: DURATION_BUCKETS },
  });
  const deadLetters = meter.createCounter('messaging.dead_letters', {
    unit: '{message}',
    description: 'Messages that went to a dead-letter topic',
  });
  return {
    published: (message) => published(tracer, message),
    parked: ({ topic, groupId }) =>
      deadLetters.add(1, { 'messaging.destination.name': topic, 'messaging.consumer.group.name': groupId }),
    process: async (message, work) => {
      const began = performance.now();
      let error: unknown;
      try {
        return await processed(tracer, message, work);
      } catch (thrown) {
        error = thrown;
        throw thrown;
      } finally {
        duration.record((performance.now() - began) / 1000, {
          'messaging.system': 'kafka',
          'messaging.operation.name': 'process',
          'messaging.destination.name': message.topic,
          'messaging.consumer.group.name': message.groupId,
          ...(error !== undefined && { 'error.type': errorType(error) }),
        });
      }
    },
  };
}

function published(tracer: Tracer, { topic, key, event, createdAt }: OutgoingMessage) {
  const parent = parseTraceparent(event.traceparent);
  if (!parent || (parent.traceFlags & 1) === 0) return undefined;
  const span = tracer.startSpan(
    `send ${event.type}`,
    {
      kind: SpanKind.PRODUCER,
      attributes: { ...attributesOf(topic, event, 'send'), 'messaging.kafka.message.key': key },
      ...(createdAt && { startTime: createdAt }),
    },
    trace.setSpanContext(ROOT_CONTEXT, parent),
  );
  return {
    traceparent: traceparentOf(span.spanContext()),
    end: (error?: unknown) => {
      if (error !== undefined) failed(span, error);
      span.end();
    },
  };
}

async function processed<T>(tracer: Tracer, message: IncomingMessage, work: () => Promise<T>): Promise<T> {
  const { topic, partition, offset, groupId, event, attempt } = message;
  const remote = parseTraceparent(event.traceparent);
  const parent: Context = remote ? trace.setSpanContext(ROOT_CONTEXT, remote) : ROOT_CONTEXT;
  // Not sampled: the handler runs in the caller's trace all the same, so that it hands it on.
  if (remote && (remote.traceFlags & 1) === 0) return context.with(parent, work);
  const span: Span = tracer.startSpan(`process ${event.type}`, { kind: SpanKind.CONSUMER }, parent);
  if (span.isRecording()) {
    span.setAttributes({
      ...attributesOf(topic, event, 'process'),
      'messaging.destination.partition.id': String(partition),
      'messaging.kafka.offset': Number(offset),
      'messaging.consumer.group.name': groupId,
      'messaging.delivery.attempt': attempt,
    });
  }
  try {
    return await context.with(trace.setSpan(parent, span), work);
  } catch (error) {
    failed(span, error);
    throw error;
  } finally {
    span.end();
  }
}

function attributesOf(topic: string, event: EventShape, operation: 'send' | 'process'): Attributes {
  return {
    'messaging.system': 'kafka',
    'messaging.operation.type': operation,
    'messaging.operation.name': operation,
    'messaging.destination.name': topic,
    'messaging.message.id': event.id,
    ...(event.correlationid && { correlation_id: event.correlationid }),
  };
}
