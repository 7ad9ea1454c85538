import { describe, expect, it } from '@jest/globals';
import { createEvent, parseEvent, sequenceOf } from './event.ts';

const made = (sequence?: number) =>
  createEvent({
    type: 'order.paid.v1',
    source: '/orders',
    subject: 'o-1',
    data: {},
    time: new Date(0),
    ...(sequence !== undefined && { sequence }),
  });

describe('the number of an event', () => {
  it('is the sequence extension of CloudEvents, and comes through as it was', () => {
    expect(made(3)).toMatchObject({ sequence: '3', sequencetype: 'Integer' });
    expect(sequenceOf(parseEvent(JSON.stringify(made(3))))).toBe(3);
  });

  it('is left out where none is given', () => {
    expect(Object.keys(made())).not.toContain('sequence');
    expect(sequenceOf(made())).toBeUndefined();
  });

  it.each([0, -1, 1.5, NaN, 2 ** 31])('cannot be %d', (sequence) => {
    expect(() => made(sequence)).toThrow(`got ${sequence}`);
  });

  it.each(['', '0', '01', '1.0', ' 1', '1e3', 'one', '2147483648', 7])(
    'that arrives as %j is poison',
    (sequence) => {
      expect(() => sequenceOf({ sequence: sequence as string })).toThrow(
        expect.objectContaining({ code: 'invalid_event', poison: true }),
      );
    },
  );
});
