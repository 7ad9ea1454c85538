import type { Handlers } from '@cairn/messaging';
import type { Broker, EventConsumer } from '@cairn/messaging/kafkajs';
import { dlq } from './dlq.ts';
import type { Platform } from './platform.ts';

/**
 * An app's admin command `dlq`, on the consumer that its processes run: replayed messages go the way of all others.
 * `connect` attaches what handlers need. Resolves with the exit code: 0, 1 when something was kept, 2 for bad usage.
 */
export function deadLetterCommand(
  { service, redactor }: Platform,
  parts: { broker: Broker; consumer: EventConsumer; handlers: Handlers; connect?: () => Promise<unknown> },
  args: string[],
): Promise<number> {
  const { broker, consumer, handlers, connect = async () => {} } = parts;
  return dlq(
    {
      ...{ service, handlers, connect },
      letters: broker.deadLetters(service, Object.keys(handlers)),
      delivery: consumer.delivery,
      redact: (text) => redactor.text(text),
    },
    args,
  );
}
