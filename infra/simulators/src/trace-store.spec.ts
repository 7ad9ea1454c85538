import { describe, expect, it } from '@jest/globals';
import { TraceStore } from './trace-store.ts';
import type { Span } from './trace.ts';

const span = (traceId: string, spanId: string, change: Partial<Span> = {}): Span => ({
  traceId,
  spanId,
  parentSpanId: null,
  service: 'orders',
  scope: '',
  name: 'work',
  kind: 'internal',
  startMs: 0,
  durationMs: 1,
  status: 'unset',
  attributes: {},
  events: [],
  links: [],
  resource: {},
  ...change,
});
const ids = (spans: Span[] = []) => spans.map(({ spanId }) => spanId);

describe('the store', () => {
  it('forgets the trace that has waited longest for a span, whole', () => {
    const store = new TraceStore(4);
    store.add([span('a', '1'), span('a', '2'), span('b', '1'), span('a', '3')]);
    store.add([span('c', '1')]);
    expect(store.find('b')).toBeUndefined();
    expect(ids(store.find('a'))).toEqual(['1', '2', '3']);
    store.add([span('c', '2')]);
    expect(store.find('a')).toBeUndefined();
    expect(store.size()).toEqual({ traces: 1, spans: 2, forgotten: 4 });
  });

  it('never holds more spans than it may', () => {
    const store = new TraceStore(10);
    for (let i = 0; i < 1000; i += 1) {
      store.add([span(`t${i % 7}`, `s${i}`)]);
      expect(store.size().spans).toBeLessThanOrEqual(10);
    }
    expect(store.size().spans + store.size().forgotten).toBe(1000);
  });

  it('gives a trace that fills it alone no further spans, and says how many', () => {
    const store = new TraceStore(2);
    expect(store.add([span('a', '1'), span('a', '2'), span('a', '3')])).toBe(1);
    expect(ids(store.find('a'))).toEqual(['1', '2']);
  });

  it('replaces a span that comes again', () => {
    const store = new TraceStore(2);
    store.add([span('a', '1'), span('a', '1', { name: 'again' })]);
    expect(store.find('a')).toMatchObject([{ name: 'again' }]);
    expect(store.size()).toMatchObject({ spans: 1 });
  });

  it('gives spans by start, and a parent before its child of the same instant', () => {
    const store = new TraceStore(9);
    store.add([
      span('a', 'late', { startMs: 2, parentSpanId: 'root' }),
      span('a', 'grandchild', { parentSpanId: 'child' }),
      span('a', 'child', { parentSpanId: 'root' }),
      span('a', 'root'),
    ]);
    expect(ids(store.find('a'))).toEqual(['root', 'child', 'grandchild', 'late']);
  });

  it('does not hang on spans that are their own ancestors', () => {
    const store = new TraceStore(9);
    store.add([span('a', '1', { parentSpanId: '2' }), span('a', '2', { parentSpanId: '1' })]);
    expect(ids(store.find('a'))).toHaveLength(2);
    expect(store.list({}, 1)).toMatchObject([{ traceId: 'a', spans: 2 }]);
  });

  it.each([0, -1, 1.5, NaN])('wants a whole number of spans, not %s', (maxSpans) => {
    expect(() => new TraceStore(maxSpans)).toThrow(`got ${maxSpans}`);
  });
});
