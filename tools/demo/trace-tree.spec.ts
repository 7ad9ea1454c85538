import { describe, expect, it } from '@jest/globals';
import { formatTrace, treeOf, type TreeNode, type TreeSpan } from './trace-tree.ts';

const span = (
  spanId: string,
  parentSpanId: string | null,
  startMs = 0,
  change: Partial<TreeSpan> = {},
): TreeSpan => ({
  spanId,
  parentSpanId,
  service: 'orders',
  name: spanId,
  startMs,
  durationMs: 10,
  status: 'unset',
  ...change,
});
/** `a(b,c)`: ids and what hangs on them; what is odd about a root after it. */
const shape = (nodes: TreeNode[]): string =>
  nodes
    .map(({ span, parent, children }) => {
      const odd = parent === 'known' || parent === 'none' ? '' : `!${parent}`;
      return span.spanId + odd + (children.length ? `(${shape(children)})` : '');
    })
    .join(',');

describe('the tree', () => {
  it('has children under their parents, by start, in whatever order the spans came', () => {
    const spans = [
      span('late', 'root', 9),
      span('leaf', 'early', 3),
      span('early', 'root', 2),
      span('root', null, 0),
    ];
    expect(shape(treeOf(spans))).toBe('root(early(leaf),late)');
  });

  it('has every root, and says of one that its parent is missing', () => {
    expect(shape(treeOf([span('a', null, 5), span('b', null, 1), span('c', 'gone', 2)]))).toBe(
      'b,c!missing,a',
    );
  });

  it('does not call the span missing that the caller has made', () => {
    expect(shape(treeOf([span('a', 'mine')], 'mine'))).toBe('a!outside');
  });

  it('loses no span to a ring', () => {
    const spans = [
      span('a', 'c', 1),
      span('b', 'a', 2),
      span('c', 'b', 3),
      span('d', 'c', 4),
      span('self', 'self', 5),
    ];
    expect(shape(treeOf(spans))).toBe('a!ring(b(c(d))),self!ring');
  });

  it('is as deep as the trace', () => {
    const spans = Array.from({ length: 500 }, (_, i) => span(`s${i}`, i ? `s${i - 1}` : null, i));
    expect(formatTrace(spans, { width: 80 }).split('\n')).toHaveLength(503);
  });
});

const order = [
  span('POST /orders', 'mine', 1000, { durationMs: 20 }),
  span('INSERT', 'POST /orders', 1005, { durationMs: 5 }),
  span('publish', 'POST /orders', 1040, { durationMs: 10 }),
  span('process', 'publish', 1050, {
    service: 'payments',
    durationMs: 50,
    status: 'error',
    statusMessage: 'it\nbroke',
  }),
];

describe('the text', () => {
  it('has offset, duration, place in the tree and a bar for every span, and the totals', () => {
    expect(formatTrace(order, { width: 90, outside: 'mine' }).split('\n')).toEqual([
      '    offset     duration',
      '      +0.0      20.0 ms   orders: POST /orders             ██████▎',
      '      +5.0       5.0 ms   ├ orders: INSERT                  █▌',
      '     +40.0      10.0 ms   └ orders: publish                            ███▏',
      '     +50.0      50.0 ms ✗   └ payments: process (it broke)                ███████████████▌',
      '',
      '100.0 ms from the first start to the last end; 4 spans (orders 3, payments 1), 1 with an error.',
    ]);
  });

  it('leaves the bars out where they do not fit, and cuts what is longer than the line', () => {
    const text = formatTrace(order, { width: 48, outside: 'mine' });
    expect(text).not.toContain('█');
    for (const line of text.split('\n').slice(0, -1)) expect(line.length).toBeLessThanOrEqual(48);
  });

  it('says whose parent is missing, and which span began before its parent', () => {
    const text = formatTrace([span('a', 'gone', 100), span('b', 'a', 97.5)], { width: 200 });
    expect(text).toContain('orders: a (its parent gone is missing)');
    expect(text).toMatch(/-2\.5 +10\.0 ms +└ orders: b \(began 2\.5 ms before its parent\)/);
  });

  it('says when there is nothing', () => {
    expect(formatTrace([], { width: 80 })).toBe('No span came.');
  });
});
