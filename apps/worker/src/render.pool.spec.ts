import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { BroadcastChannel } from 'node:worker_threads';
import { receiptOf } from './receipt.ts';
import { RenderError, RenderPool, type RenderPoolOptions } from './render.pool.ts';

/** Real threads; `receipt.worker.ts` runs in them as it stands. */
const receipt = receiptOf({
  orderId: '0194f0a0-0000-7000-8000-000000000001',
  customerId: 'alice',
  email: 'alice@example.com',
  currency: 'EUR',
  total: 2100,
  lines: [{ name: 'Mountain tea', quantity: 2, unitPrice: 1050 }],
  paidAt: '2026-11-21T12:00:05.000Z',
});
// A date that pdfkit can't write: it throws in the middle of the thread's work.
const crashing = { ...receipt, paidAt: 'never' };

// A thread loads for half a second, and for several on a machine that has much else to do.
jest.setTimeout(30_000);

const READY = `import { parentPort } from 'node:worker_threads'; parentPort.postMessage('ready');`;
const SAYS_READY_AND_HANGS = new URL(
  `data:text/javascript,${encodeURIComponent(`${READY} parentPort.on('message', () => {});`)}`,
);
const LOADS_UNTIL_IT_IS_TOLD = `
  const { BroadcastChannel, parentPort } = await import('node:worker_threads');
  const test = new BroadcastChannel('render pool');
  const told = new Promise((resolve) => (test.onmessage = resolve));
  test.postMessage('loading');
  await told;
  test.close();
  parentPort.on('message', () => parentPort.postMessage('a receipt'));
  parentPort.postMessage('ready');`;

let pool: RenderPool;
const open = (options: Partial<RenderPoolOptions> = {}) =>
  (pool = new RenderPool({ threads: 1, timeoutMs: 10_000, ...options }));

afterEach(() => pool.close());

const textOf = (pdf: Uint8Array) => Buffer.from(pdf).toString('latin1');

describe('a pool of render threads', () => {
  it('renders a PDF, the same bytes for the same receipt', async () => {
    const first = await open().render(receipt);
    await pool.close();
    const second = await open().render(receipt);
    expect(textOf(first)).toMatch(/^%PDF-1[^]*%%EOF\n$/);
    expect(Buffer.compare(first, second)).toBe(0);
  });

  it('gives other bytes for another receipt', async () => {
    const first = await open().render(receipt);
    const second = await pool.render({ ...receipt, total: 'EUR 21.01' });
    expect(Buffer.compare(first, second)).not.toBe(0);
  });

  it('goes on to further pages when there are many lines', async () => {
    const pdf = await open().render({ ...receipt, lines: Array(100).fill(receipt.lines[0]) });
    expect(textOf(pdf)).toContain('/Count 3');
  });

  it('fails the receipt on which a thread crashed, and renders the next one', async () => {
    open();
    const results = await Promise.allSettled([
      pool.render(receipt),
      pool.render(crashing),
      pool.render(receipt),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: { name: 'RenderError', code: 'render_failed' } });
  });

  it('fails a receipt whose thread leaves without a word', async () => {
    open({ script: new URL('data:text/javascript,process.exit(1)') });
    await expect(pool.render(receipt)).rejects.toThrow('the thread ended before');
  });

  it('ends a thread that hangs', async () => {
    open({ script: SAYS_READY_AND_HANGS, timeoutMs: 50 });
    await expect(pool.render(receipt)).rejects.toThrow(new RenderError('not rendered within 50 ms'));
  });

  it('does not count against a receipt how long its thread takes to load', async () => {
    const script = new URL(`data:text/javascript,${encodeURIComponent(LOADS_UNTIL_IT_IS_TOLD)}`);
    const thread = new BroadcastChannel('render pool');
    const loading = new Promise((resolve) => (thread.onmessage = resolve));
    jest.useFakeTimers();
    try {
      const rendered = open({ script, timeoutMs: 200, startTimeoutMs: 30_000 }).render(receipt);
      await loading;
      jest.advanceTimersByTime(29_999);
      thread.postMessage('ready now');
      expect(await rendered).toBe('a receipt');
    } finally {
      jest.useRealTimers();
      thread.close();
    }
  });

  it('fails a receipt for which no thread gets ready, and says that it is not the fault of the receipt', async () => {
    open({ script: new URL('data:text/javascript,setInterval(() => {}, 1000)'), startTimeoutMs: 50 });
    const failed = { message: 'no thread was ready to render within 50 ms', transient: true };
    await expect(pool.render(receipt)).rejects.toMatchObject(failed);
  });
});
