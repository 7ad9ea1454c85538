import { afterEach, describe, expect, it } from '@jest/globals';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { PARENT, SAMPLED, testTelemetry, TRACE, UNSAMPLED } from './telemetry.fixture.ts';

let test: ReturnType<typeof testTelemetry>;
afterEach(() => test.telemetry.shutdown());

const event = (traceparent?: string) => ({
  id: 'e-1',
  type: 'order.confirmed.v1',
  correlationid: 'corr-1234',
  ...(traceparent && { traceparent }),
});
const message = (traceparent?: string) => ({
  ...{ topic: 'orders', partition: 2, offset: '41', groupId: 'payments', attempt: 1 },
  event: event(traceparent),
});

describe('a message', () => {
  it('is one trace from the request over the outbox to its handler', async () => {
    test = testTelemetry();
    const { messaging, traceparent } = test.telemetry;
    const createdAt = new Date(Date.now() - 5000);
    const sent = messaging.published({ topic: 'orders', key: 'o-1', event: event(SAMPLED), createdAt })!;
    sent.end();
    let inHandler: string | undefined;
    await messaging.process(message(sent.traceparent), async () => void (inHandler = traceparent()));
    const [producer, consumer] = [
      test.span('send order.confirmed.v1'),
      test.span('process order.confirmed.v1'),
    ];
    expect(producer.parentSpanContext).toMatchObject({ traceId: TRACE, spanId: PARENT });
    expect(producer.kind).toBe(SpanKind.PRODUCER);
    // What it waited in the outbox is part of it.
    expect(producer.duration[0]).toBeGreaterThanOrEqual(5);
    expect(consumer.parentSpanContext).toMatchObject({
      traceId: TRACE,
      spanId: producer.spanContext().spanId,
    });
    expect(consumer.kind).toBe(SpanKind.CONSUMER);
    expect(inHandler).toBe(`00-${TRACE}-${consumer.spanContext().spanId}-01`);
    expect(consumer.attributes).toEqual({
      'messaging.system': 'kafka',
      'messaging.operation.type': 'process',
      'messaging.operation.name': 'process',
      'messaging.destination.name': 'orders',
      'messaging.destination.partition.id': '2',
      'messaging.kafka.offset': 41,
      'messaging.consumer.group.name': 'payments',
      'messaging.message.id': 'e-1',
      'messaging.delivery.attempt': 1,
      correlation_id: 'corr-1234',
    });
  });

  it('of a trace that is not sampled has no spans, is handled in that trace, and is measured', async () => {
    test = testTelemetry();
    const { messaging, traceparent } = test.telemetry;
    expect(messaging.published({ topic: 'orders', key: 'o-1', event: event(UNSAMPLED) })).toBeUndefined();
    expect(await messaging.process(message(UNSAMPLED), async () => traceparent())).toBe(UNSAMPLED);
    expect(test.spans()).toEqual([]);
    expect(await test.metrics('messaging_process_duration_seconds_count')).toEqual([
      'messaging_process_duration_seconds_count{messaging_system="kafka",messaging_operation_name="process",messaging_destination_name="orders",messaging_consumer_group_name="payments"} 1',
    ]);
  });

  it('without a trace begins one where it is handled, and none where it is sent', async () => {
    test = testTelemetry();
    const { messaging } = test.telemetry;
    expect(messaging.published({ topic: 'orders', key: 'o-1', event: event() })).toBeUndefined();
    await messaging.process(message(), async () => {});
    expect(test.span('process order.confirmed.v1').parentSpanContext).toBeUndefined();
  });

  it.each([
    ['a trace of zeros', UNSAMPLED.replace(TRACE, '0'.repeat(32))],
    ['a parent of zeros', UNSAMPLED.replace(PARENT, '0'.repeat(16))],
  ])('with %s begins a trace, and hands no such thing on', async (_, zeros) => {
    test = testTelemetry();
    const { messaging, traceparent } = test.telemetry;
    const inHandler = await messaging.process(message(zeros), async () => traceparent());
    expect(inHandler).not.toMatch(/-0{16}/);
    expect(test.spans()).toHaveLength(1);
  });

  it('shows each try, and what went wrong with it', async () => {
    test = testTelemetry();
    const { messaging } = test.telemetry;
    const away = Object.assign(new Error('gateway away'), { code: 'circuit_open' });
    const failing = messaging.process(message(SAMPLED), () => Promise.reject(away));
    await expect(failing).rejects.toBe(away);
    await messaging.process({ ...message(SAMPLED), attempt: 2 }, async () => {});
    const [first, second] = test.spans();
    expect(first!.status).toEqual({ code: SpanStatusCode.ERROR, message: 'gateway away' });
    expect(first!.attributes).toMatchObject({
      'error.type': 'circuit_open',
      'messaging.delivery.attempt': 1,
    });
    expect(first!.events[0]!.attributes).toMatchObject({ 'exception.message': 'gateway away' });
    expect(second!.status.code).toBe(SpanStatusCode.UNSET);
    expect(second!.attributes['messaging.delivery.attempt']).toBe(2);
    expect(await test.metrics('messaging_process_duration_seconds_count')).toHaveLength(2);
  });

  it('that the broker did not take says so', () => {
    test = testTelemetry();
    const sent = test.telemetry.messaging.published({ topic: 'orders', key: 'o-1', event: event(SAMPLED) })!;
    sent.end(new Error('no leader'));
    expect(test.span('send order.confirmed.v1').status).toMatchObject({ message: 'no leader' });
  });

  it('that is parked is counted', async () => {
    test = testTelemetry();
    test.telemetry.messaging.parked({ topic: 'orders', groupId: 'payments' });
    expect(await test.metrics('messaging_dead_letters_total')).toEqual([
      'messaging_dead_letters_total{messaging_destination_name="orders",messaging_consumer_group_name="payments"} 1',
    ]);
  });
});

describe('observeFlow', () => {
  it('reports consumers and the outbox, asking once for all of its figures', async () => {
    test = testTelemetry();
    let asked = 0;
    test.telemetry.observeFlow({
      consumers: {
        payments: {
          status: 'joined',
          lag: async () => [{ topic: 'orders', partition: 2, lag: 17 }],
          held: async () => [{ count: 2 }, { count: 1 }],
        },
        worker: { status: 'starting', lag: async () => [] },
      },
      relay: { stats: async () => ({ depth: 3, oldestAgeMs: 2500, parked: 1, asked: asked++ }) },
    });
    expect([...(await test.metrics('messaging_consumer')), ...(await test.metrics('outbox'))]).toEqual([
      'messaging_consumer_joined{messaging_consumer_group_name="payments"} 1',
      'messaging_consumer_joined{messaging_consumer_group_name="worker"} 0',
      'messaging_consumer_lag{messaging_consumer_group_name="payments",messaging_destination_name="orders",messaging_destination_partition_id="2"} 17',
      'messaging_consumer_held{messaging_consumer_group_name="payments"} 3',
      'outbox_depth 3',
      'outbox_oldest_age_seconds 2.5',
      'outbox_parked 1',
    ]);
    // Two scrapes.
    expect(asked).toBe(2);
  });
});
