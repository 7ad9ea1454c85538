import { startTelemetry, type Telemetry, type TraceFields } from '@cairn/telemetry';

/** Compiled by strangers, under their own options. */
export async function use(): Promise<[number, TraceFields | undefined]> {
  const telemetry: Telemetry = await startTelemetry({ service: 'shop', redact: (text) => text });
  const orders = telemetry.counter('orders.confirmed', { unit: '{order}', description: 'confirmed orders' });
  orders.add(1, { currency: 'EUR' });
  const total: number = await telemetry.inSpan('charge', { kind: 'client' }, async (span) => {
    span.setAttribute('attempt', 1);
    return 2100;
  });
  // @ts-expect-error There is no such kind of span: it would compile if the types were not found.
  await telemetry.inSpan('charge', { kind: 'customer' }, async () => {});
  return [total, telemetry.traceFields()];
}
