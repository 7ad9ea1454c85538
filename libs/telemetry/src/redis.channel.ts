import { SpanKind, SpanStatusCode, type Span, type Tracer } from '@opentelemetry/api';
import { tracingChannel } from 'node:diagnostics_channel';
import { errorType, sampledSpan } from './spans.ts';

/** What ioredis 6 tells of a command. Its arguments are not looked at: they are keys and values of customers. */
type Command = { command: string; database?: number; serverAddress?: string; serverPort?: number };

/** A span for each Redis command below a span that is sampled. @returns ends it */
export function traceRedis(tracer: Tracer): () => void {
  const spans = new WeakMap<object, Span>();
  const end = (message: object) => {
    spans.get(message)?.end();
    spans.delete(message);
  };
  const handlers = {
    start: (message: object) => {
      if (!sampledSpan()) return;
      const { command, database, serverAddress, serverPort } = message as Command;
      const name = command.toUpperCase();
      const span = tracer.startSpan(name, {
        kind: SpanKind.CLIENT,
        attributes: {
          'db.system.name': 'redis',
          'db.operation.name': name,
          'db.namespace': String(database ?? 0),
          ...(serverAddress && { 'server.address': serverAddress }),
          ...(serverPort && { 'server.port': serverPort }),
        },
      });
      spans.set(message, span);
    },
    end: () => {},
    asyncStart: () => {},
    asyncEnd: end,
    error: (message: object) => {
      const span = spans.get(message);
      span?.setAttribute('error.type', errorType((message as { error?: unknown }).error));
      span?.setStatus({ code: SpanStatusCode.ERROR });
    },
  };
  const channel = tracingChannel('ioredis:command');
  channel.subscribe(handlers);
  return () => channel.unsubscribe(handlers);
}
