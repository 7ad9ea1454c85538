import { pino, type Logger } from 'pino';
import { createLogger, createRedactor, newContext, withContext } from './index.ts';

/**
 * What a line costs beside bare pino with the same fields, in ns:
 * `node --conditions=@cairn/source libs/logging/src/cost.fixture.ts`. Interleaved, and of each the fastest eighth, since
 * whoever else is on the machine can only slow it down.
 */
const BATCHES = 150;
const LINES = 400;
const trace = () => ({
  trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
  span_id: '00f067aa0ba902b7',
  trace_flags: '01',
});
const destination = { write: () => {} };
const bare = pino(
  {
    base: { 'service.name': 'orders' },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ severity: label }) },
    mixin: () => ({ correlation_id: 'a3ce929d-0e0e-4736-8b34-da6a3ce929d0', ...trace() }),
  },
  destination,
);
const secrets = ['postgres://orders:s3cr3t-Passw0rd@db.internal:5432/orders', 'Zx81Spectrum48k/+Aa'];
const ours = createLogger({ service: 'orders', destination, trace, redact: createRedactor({ secrets }) });

let n = 0;
const err = new Error('it failed', { cause: new TypeError('deep') });
const lines: Record<string, (logger: Logger) => void> = {
  request: (logger) =>
    logger.info({
      ...{ event: 'http_request', method: 'POST', route: '/api/v1/orders/:id' },
      ...{ status: 200, duration_ms: 12 + (n++ % 8) },
    }),
  event: (logger) =>
    logger.info({
      event: 'order_confirmed',
      order_id: `0194f0a0-1111-7000-8000-00000000${1000 + (n++ % 999)}`,
    }),
  nested: (logger) =>
    logger.info({ event: 'x', a: { b: { c: [1, 2, 'three'] }, d: 'some text' } }, 'a message'),
  error: (logger) => logger.error({ event: 'event_failed', err }),
};

function batch(log: (logger: Logger) => void, logger: Logger): number {
  const began = performance.now();
  for (let i = 0; i < LINES; i++) log(logger);
  return ((performance.now() - began) * 1e6) / LINES;
}

const fastest = (times: number[]) => times.sort((a, b) => a - b)[times.length >> 3]!;

withContext(newContext(), () => {
  for (const [name, log] of Object.entries(lines)) {
    const times = Array.from({ length: BATCHES }, () => [batch(log, bare), batch(log, ours)]);
    const [before, now] = [0, 1].map((i) => fastest(times.map((both) => both[i]!)));
    console.log(
      `${name.padEnd(8)} ${before!.toFixed(0)} ns bare, ${now!.toFixed(0)} ns ours: ${(now! / before!).toFixed(2)}`,
    );
  }
});
