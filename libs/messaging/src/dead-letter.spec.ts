import { describe, expect, it } from '@jest/globals';
import { byPlace, deadLetterTopic, letterOf, readLetter, rekeyed } from './dead-letter.ts';

const PAN = '4111111111111111';
const AT = new Date('2026-11-22T09:00:00Z');
const redact = (text: string) => text.replaceAll(PAN, '[card]');
const letter = (value: Buffer | null, error: unknown = new Error('no such card')) => ({
  ...{ topic: 'orders', partition: 2, error },
  message: {
    key: Buffer.from('o-1') as Buffer | null,
    value,
    offset: '41',
    headers: { traceparent: Buffer.from('00-a-b-01') },
  },
});
const parked = (...parameters: Parameters<typeof letter>) =>
  letterOf('payments', letter(...parameters), redact, AT);

/** As Kafka gives it back: bytes, at an offset of its own. */
const readBack = ({ key, value, headers }: ReturnType<typeof letterOf>) => ({
  key: Buffer.from(key),
  value: Buffer.from(value),
  offset: '7',
  headers: Object.fromEntries(
    Object.entries(headers).map(([name, text]) => [name, Buffer.from(String(text))]),
  ),
});

describe('a dead letter', () => {
  it('has no secret in its value, its key, its reason, its stack or its headers, and says that it was changed', () => {
    const original = letter(Buffer.from(`{"card":"${PAN}"}`), new Error(`no such card ${PAN}`));
    const message = {
      ...original.message,
      key: Buffer.from(PAN),
      headers: { note: Buffer.from(PAN), notes: [PAN, 'x'] },
    };
    const sent = letterOf('payments', { ...original, message }, redact, AT);
    expect(sent).toEqual({
      key: 'payments/orders/2/41',
      value: '{"card":"[card]"}',
      headers: {
        note: '[card]',
        notes: ['[card]', 'x'],
        'dead-letter-consumer': 'payments',
        'dead-letter-from': 'orders/2/41',
        'dead-letter-at': '2026-11-22T09:00:00.000Z',
        'dead-letter-reason': 'no such card [card]',
        'dead-letter-stack': expect.stringMatching(/^Error: no such card \[card\]\n +at /),
        'dead-letter-key': '[card]',
        'dead-letter-redacted': 'true',
      },
    });
  });

  it('is the very message where there is nothing to take out, even when it is no text', () => {
    const value = Buffer.from([0xff, 0x00, 0xfe]);
    const sent = parked(value, 'odd');
    expect(sent.value).toBe(value);
    expect(sent.headers).toEqual({
      traceparent: Buffer.from('00-a-b-01'),
      'dead-letter-consumer': 'payments',
      'dead-letter-from': 'orders/2/41',
      'dead-letter-at': '2026-11-22T09:00:00.000Z',
      'dead-letter-reason': 'odd',
      'dead-letter-key': Buffer.from('o-1'),
    });
    expect(readLetter(readBack(sent))!.message.value!.equals(value)).toBe(true);
  });

  it('has the key of its message and consumer: parking twice makes one letter in a compacted topic', () => {
    expect(parked(Buffer.from('x')).key).toBe(parked(Buffer.from('x'), 'another reason').key);
    const another = letterOf('worker', letter(Buffer.from('x')), redact);
    expect(another.key).not.toBe(parked(Buffer.from('x')).key);
  });

  it('of a message without a value has one, since it would delete itself, and gives back none', () => {
    expect(parked(null).value).toEqual(Buffer.alloc(0));
    expect(readLetter(readBack(parked(null)))!.message.value).toBeNull();
    expect(readLetter(readBack(parked(Buffer.alloc(0))))!.message.value).toEqual(Buffer.alloc(0));
  });

  it('shows the causes of what was thrown, and is no longer than the broker takes', () => {
    const error = new Error('x'.repeat(50_000), { cause: new TypeError('why') });
    const { headers } = parked(Buffer.from('x'), error);
    expect(headers['dead-letter-reason']).toMatch(/^x{2000} … \(50000 characters\)$/);
    expect(String(headers['dead-letter-stack']).length).toBeLessThan(8100);
    const short = parked(Buffer.from('x'), new Error('that', { cause: new TypeError('why') })).headers;
    expect(short['dead-letter-stack']).toMatch(/^Error: that\n[^]+\ncaused by TypeError: why\n/);
  });

  it('is read back as it was parked', () => {
    const value =
      '{"id":"e-1","type":"order.paid.v1","source":"/orders","subject":"o-1","sequence":"3","data":{"id":9}}';
    const { stack, ...read } = readLetter(readBack(parked(Buffer.from(value))))!;
    expect(stack).toMatch(/^Error: no such card/);
    expect(read).toEqual({
      id: 'payments/orders/2/41',
      groupId: 'payments',
      ...{ topic: 'orders', partition: 2, offset: '41', key: 'o-1', redacted: false, at: AT },
      reason: 'no such card',
      event: { id: 'e-1', type: 'order.paid.v1', source: '/orders', subject: 'o-1', sequence: '3' },
      message: {
        key: Buffer.from('o-1'),
        value: Buffer.from(value),
        offset: '41',
        headers: { traceparent: Buffer.from('00-a-b-01') },
      },
    });
  });

  it('says nothing of an event that cannot be read', () => {
    for (const value of ['no JSON', 'null', '3', '{"id":1}'])
      expect(readLetter(readBack(parked(Buffer.from(value))))!.event).toEqual({});
  });

  it('is not what has no mark of a consumer: the end of a letter, or what somebody wrote by hand', () => {
    const message = { offset: '1', key: Buffer.from('payments/orders/2/41'), value: null };
    expect(readLetter(message)).toBeUndefined();
    expect(readLetter({ ...message, value: Buffer.from('by hand'), headers: {} })).toBeUndefined();
  });

  it('cannot be forged by headers of the message that it is of', () => {
    const { message, ...place } = letter(Buffer.from('x'));
    const headers = { 'dead-letter-null': 'true', 'dead-letter-redacted': 'true' };
    const sent = letterOf('payments', { ...place, message: { ...message, headers } }, redact);
    expect(Object.keys(sent.headers)).not.toEqual(expect.arrayContaining(['dead-letter-null']));
    expect(readLetter(readBack(sent))).toMatchObject({ redacted: false });
  });

  it('of the first form, which had the key of its message, is written anew under its own, once', () => {
    const headers = { 'dead-letter-consumer': 'payments', 'dead-letter-from': 'orders/2/41', note: 'n' };
    const first = { key: Buffer.from('o-1'), value: Buffer.from('x'), offset: '7', headers };
    expect(readLetter(first)).toMatchObject({ key: 'o-1', at: undefined, reason: '' });
    const again = rekeyed(first)!;
    expect(again).toEqual({
      key: 'payments/orders/2/41',
      value: Buffer.from('x'),
      headers: { ...headers, 'dead-letter-key': Buffer.from('o-1') },
    });
    expect(readLetter(readBack(again as never))).toMatchObject({ key: 'o-1', id: again.key });
    expect(rekeyed(readBack(again as never))).toBeUndefined();
    expect(rekeyed({ ...first, key: null, value: null })).toMatchObject({
      value: Buffer.alloc(0),
      headers: { 'dead-letter-null': 'true' },
    });
  });

  it('stands where its message stood among others', () => {
    const at = (topic: string, partition: number, offset: string) => {
      const { message, error } = letter(Buffer.from('x'));
      return readLetter(
        readBack(letterOf('p', { topic, partition, error, message: { ...message, offset } }, redact)),
      )!;
    };
    const letters = [at('orders', 1, '100'), at('orders', 1, '9'), at('orders', 0, '11'), at('jobs', 3, '1')];
    expect(letters.sort(byPlace).map(({ id }) => id)).toEqual([
      'p/jobs/3/1',
      'p/orders/0/11',
      'p/orders/1/9',
      'p/orders/1/100',
    ]);
  });

  it('goes to a topic beside its own', () => {
    expect(deadLetterTopic('orders')).toBe('orders.dead-letter');
  });
});
