import { afterEach, describe, expect, it } from '@jest/globals';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { tracingChannel } from 'node:diagnostics_channel';
import { testTelemetry } from './telemetry.fixture.ts';

let test: ReturnType<typeof testTelemetry>;
afterEach(() => test.telemetry.shutdown());

/** What ioredis 6 does for each command; the real one is in drivers.int.spec.ts. */
const command = <T>(name: string, work: Promise<T>) =>
  tracingChannel('ioredis:command').tracePromise(() => work, {
    command: name,
    args: ['draft:1', 'secret'],
    database: 0,
    serverAddress: 'redis',
    serverPort: 6379,
  });

describe('a Redis command', () => {
  it('has a span in a sampled trace, without its arguments', async () => {
    test = testTelemetry({ instrumentations: ['ioredis'] });
    await test.telemetry.inSpan('outer', {}, () => command('get', Promise.resolve('x')));
    const span = test.span('GET');
    expect(span.parentSpanContext!.spanId).toBe(test.span('outer').spanContext().spanId);
    expect(span.kind).toBe(SpanKind.CLIENT);
    expect(span.attributes).toEqual({
      'db.system.name': 'redis',
      'db.operation.name': 'GET',
      'db.namespace': '0',
      'server.address': 'redis',
      'server.port': 6379,
    });
  });

  it('that fails says so by the kind of its error', async () => {
    test = testTelemetry({ instrumentations: ['ioredis'] });
    const failing = Promise.reject(Object.assign(new Error('no such key'), { name: 'ReplyError' }));
    await test.telemetry.inSpan('outer', {}, () => command('get', failing).catch(() => {}));
    expect(test.span('GET').status).toEqual({ code: SpanStatusCode.ERROR });
    expect(test.span('GET').attributes['error.type']).toBe('ReplyError');
  });

  it('has none outside of a trace, whatever the share', async () => {
    test = testTelemetry({ instrumentations: ['ioredis'] });
    await command('get', Promise.resolve('x'));
    expect(test.spans()).toEqual([]);
  });

  it('has none in a trace that is not sampled, and none once telemetry has ended', async () => {
    test = testTelemetry({ instrumentations: ['ioredis'] }, { share: 0 });
    await test.telemetry.inSpan('outer', {}, () => command('get', Promise.resolve('x')));
    expect(test.spans()).toEqual([]);
    await test.telemetry.shutdown();
    expect(tracingChannel('ioredis:command').hasSubscribers).toBe(false);
  });
});
