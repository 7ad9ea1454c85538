import { describe, expect, it } from '@jest/globals';
import { dueJob } from '@cairn/boot';
import { parseEvent } from '@cairn/messaging';
import { readFileSync } from 'node:fs';
import { order, orderWithReason, receipt } from './notifications.consumer.ts';

/** Notifications reads what `contracts/events` shows; it emits nothing. */
const example = (type: string) =>
  parseEvent(readFileSync(new URL(`../../../contracts/events/${type}.v1.json`, import.meta.url)));

describe('events that notifications reads', () => {
  it.each([
    ['receipt.stored', receipt],
    ['order.payment_failed', orderWithReason],
    ['order.cancelled', orderWithReason],
    ['order.refunded', order],
    ['job.due', dueJob],
  ])('%s can be read', (type, schema) => {
    expect(schema.safeParse(example(type).data)).toMatchObject({ success: true });
  });

  it.each(['alice@example.com, eve@example.com', 'alice@example.com\r\nBcc: eve@example.com', 'alice'])(
    'an event with the address %j is refused',
    (email) => {
      const data = { ...(example('order.refunded').data as object), email };
      expect(order.safeParse(data).success).toBe(false);
    },
  );

  it('a receipt whose link is a script is refused', () => {
    const data = { ...(example('receipt.stored').data as object), url: 'javascript:alert(1)' };
    expect(receipt.safeParse(data).success).toBe(false);
  });
});
