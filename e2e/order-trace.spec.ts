import { describe, expect, it } from '@jest/globals';
import type { StoredSpan } from '@cairn/tools/demo/traces.client.ts';
import { mistakesOf, STEPS, WITH_QUERIES } from './order-trace.ts';

/** The check of trace.e2e.spec.ts itself, on plain spans: it must see what can go wrong. */
const caller = { spanId: 'mine', correlationId: 'c-1' };

const span = (change: Partial<StoredSpan>): StoredSpan => ({
  traceId: 't',
  spanId: 's',
  parentSpanId: null,
  service: 'orders',
  scope: '',
  name: 'work',
  kind: 'internal',
  startMs: 0,
  durationMs: 1,
  status: 'unset',
  attributes: {},
  links: [],
  resource: {},
  ...change,
});

/** A trace as it should be: every step below its own, with a transaction in between where PostgreSQL is asked. */
function good(): StoredSpan[] {
  const steps = STEPS.map(({ service, kind, name, below }, i) =>
    span({
      spanId: name,
      parentSpanId: below ?? 'mine',
      service,
      kind,
      name,
      startMs: i,
      ...(['server', 'producer', 'consumer'].includes(kind) && { attributes: { correlation_id: 'c-1' } }),
    }),
  );
  const queries = WITH_QUERIES.map((name) =>
    span({
      spanId: `query ${name}`,
      parentSpanId: name,
      kind: 'client',
      startMs: 100,
      attributes: { 'db.system.name': 'postgresql' },
    }),
  );
  return [...steps, ...queries];
}
const mistakesWith = (name: string, change: Partial<StoredSpan>) =>
  mistakesOf(
    good().map((one) => (one.spanId === name ? { ...one, ...change } : one)),
    caller,
  );

describe('the check of a trace', () => {
  it('has nothing against one as it should be, spans in between or not', () => {
    expect(mistakesOf(good(), caller)).toEqual([]);
    const between = span({ spanId: 'between', parentSpanId: 'process order.confirmed.v1', startMs: 3.5 });
    const moved = good().map((one) =>
      one.spanId === 'send payment.succeeded.v1' ? { ...one, parentSpanId: 'between' } : one,
    );
    expect(mistakesOf([...moved, between], caller)).toEqual([]);
  });

  it('sees a consumer that ignores the header: what comes after it is another trace', () => {
    const torn = STEPS.findIndex(({ name }) => name === 'process order.paid.v1');
    const gone = new Set(STEPS.slice(torn).map(({ name }) => name));
    const left = good().filter(({ spanId }) => !gone.has(spanId) && !gone.has(spanId.replace('query ', '')));
    expect(mistakesOf(left, caller)).toEqual([
      ...STEPS.slice(torn).map(({ service, kind, name }) => `0 spans ${service}: ${name} (${kind}), not 1`),
      'no query below process receipt.stored.v1',
    ]);
  });

  it('sees a consumer that hangs on the request and not on the message', () => {
    expect(mistakesWith('process order.paid.v1', { parentSpanId: 'POST /api/v1/orders' })).toEqual([
      'worker: process order.paid.v1 (consumer) is below POST /api/v1/orders, not send order.paid.v1',
    ]);
  });

  it.each<[string, string, Partial<StoredSpan>, string]>([
    [
      'a parent that did not come',
      'smtp send',
      { parentSpanId: 'gone' },
      'its parent gone is not in the trace',
    ],
    ['a request that ignores its caller', 'POST /api/v1/orders', { parentSpanId: null }, "not the caller's"],
    ['another correlation id', 'send order.paid.v1', { attributes: { correlation_id: 'c-2' } }, 'is c-2'],
    ['a lost correlation id', 'process receipt.stored.v1', { attributes: {} }, 'is undefined'],
    ['an error', 'render receipt', { status: 'error', statusMessage: 'no font' }, 'it failed: no font'],
    ['a child before its parent', 'smtp send', { startMs: -5 }, 'it began before its parent'],
    ['another kind', 'smtp send', { kind: 'internal' }, '0 spans notifications: smtp send (client), not 1'],
  ])('sees %s', (_, name, change, mistake) => {
    expect(mistakesWith(name, change).join('\n')).toContain(mistake);
  });

  it('sees what happened twice, and a service that asked no database', () => {
    const twice = span({ ...good()[2]!, spanId: 'again' });
    expect(mistakesOf([...good(), twice], caller).join()).toContain(
      '2 spans payments: process order.confirmed.v1',
    );
    const without = good().filter(({ spanId }) => spanId !== 'query POST /api/v1/orders');
    expect(mistakesOf(without, caller)).toEqual(['no query below POST /api/v1/orders']);
  });
});
