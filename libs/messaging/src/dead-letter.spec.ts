import { describe, expect, it } from '@jest/globals';
import { deadLetterTopic, letterOf } from './dead-letter.ts';

const PAN = '4111111111111111';
const redact = (text: string) => text.replaceAll(PAN, '[card]');
const letter = (value: Buffer | null, error: unknown = new Error('no such card')) => ({
  ...{ topic: 'orders', partition: 2, error },
  message: {
    key: Buffer.from('o-1'),
    value,
    offset: '41',
    headers: { traceparent: Buffer.from('00-a-b-01') },
  },
});

describe('a dead letter', () => {
  it('has no secret in its value, its reason or its headers, and says that its value was changed', () => {
    const parked = letter(Buffer.from(`{"card":"${PAN}"}`), new Error(`no such card ${PAN}`));
    const headers = { note: Buffer.from(PAN), notes: [PAN, 'x'] };
    const sent = letterOf('payments', { ...parked, message: { ...parked.message, headers } }, redact);
    expect(sent).toEqual({
      key: Buffer.from('o-1'),
      value: '{"card":"[card]"}',
      headers: {
        note: '[card]',
        notes: ['[card]', 'x'],
        'dead-letter-consumer': 'payments',
        'dead-letter-from': 'orders/2/41',
        'dead-letter-reason': 'no such card [card]',
        'dead-letter-redacted': 'true',
      },
    });
  });

  it('is the very message where there is nothing to take out, even when it is no text', () => {
    const value = Buffer.from([0xff, 0x00, 0xfe]);
    const sent = letterOf('payments', letter(value, 'odd'), redact);
    expect(sent.value).toBe(value);
    expect(sent.headers).toEqual({
      traceparent: Buffer.from('00-a-b-01'),
      'dead-letter-consumer': 'payments',
      'dead-letter-from': 'orders/2/41',
      'dead-letter-reason': 'odd',
    });
  });

  it('may be a tombstone', () => {
    expect(letterOf('payments', letter(null), redact).value).toBeNull();
  });

  it('goes to a topic beside its own', () => {
    expect(deadLetterTopic('orders')).toBe('orders.dead-letter');
  });
});
