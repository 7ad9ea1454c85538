import { narrateOrder } from './narrate.ts';
import type { Places } from './places.ts';
import { formatTrace } from './trace-tree.ts';
import { beginTrace, spansOf, wholeTrace } from './traces.client.ts';

/** Whoever has a part in an order that is paid. */
export const SERVICES = ['orders', 'payments', 'worker', 'notifications'];

/**
 * Places one order under a trace of its own, and prints that as a tree when it is whole. What has come of it is printed
 * too when it does not become whole; then it rejects with what is missing.
 */
export async function showTrace(
  places: Places,
  { say, width }: { say: (line: string) => void; width: number },
): Promise<void> {
  const own = beginTrace();
  await spansOf(own.traceId, places.traces); // before the order: is anybody there who collects spans?
  await narrateOrder(places, say, { traceparent: own.traceparent });
  say('\nWaiting for the last spans: an exporter keeps them for up to 5 s.');
  say(`\nTrace ${own.traceId} (${places.traces}/traces/${own.traceId}):\n`);
  const print = (spans: Parameters<typeof formatTrace>[0]) =>
    say(formatTrace(spans, { width, outside: own.spanId }));
  try {
    print(await wholeTrace(own, places.traces, { services: SERVICES }));
  } catch (error) {
    print(await spansOf(own.traceId, places.traces));
    throw error;
  }
}
