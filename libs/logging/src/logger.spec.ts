import { describe, expect, it } from '@jest/globals';
import { createLogger, currentContext, newContext, withContext } from './index.ts';

function capture() {
  const lines: string[] = [];
  const logger = createLogger({
    service: 'orders',
    destination: { write: (line: string) => void lines.push(line) },
  });
  return { logger, lines, last: () => JSON.parse(lines.at(-1)!) as Record<string, unknown> };
}

describe('createLogger', () => {
  it('writes one JSON line an event, with ISO time, severity and service', () => {
    const { logger, lines, last } = capture();
    logger.info({ event: 'order_confirmed' }, 'two\r\nlines');
    expect(lines).toHaveLength(1);
    expect(lines[0]!.trimEnd()).not.toMatch(/[\r\n]/);
    expect(last()).toMatchObject({ severity: 'info', 'service.name': 'orders', event: 'order_confirmed' });
    expect(last()['time']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  it('puts the correlation id of the work under way on every line, across awaits', async () => {
    const { logger, last } = capture();
    await withContext(newContext({ correlationId: 'request-42' }), async () => {
      await Promise.resolve();
      logger.info('inside');
    });
    expect(last()).toMatchObject({ correlation_id: 'request-42' });
    logger.info('outside');
    expect(last()).not.toHaveProperty('correlation_id');
    expect(currentContext()).toBeUndefined();
  });

  it('does not print tokens and card numbers', () => {
    const { logger, lines } = capture();
    logger.info({ request: { authorization: 'canary-1' }, cardToken: 'canary-2' });
    expect(lines.join()).not.toContain('canary');
  });
});

describe('newContext', () => {
  it.each([undefined, '', 'short', 'x'.repeat(65), 'line\r\nbreak-in-it', ['a-list-of-ids']])(
    'replaces the malformed correlation id %j by a new one',
    (given) => {
      expect(newContext({ correlationId: given }).correlationId).toMatch(/^[0-9a-f-]{36}$/);
    },
  );

  it('hands a well-formed traceparent on and drops any other', () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    expect(newContext({ traceparent }).traceparent).toBe(traceparent);
    expect(newContext({ traceparent: 'nonsense' }).traceparent).toBeUndefined();
  });
});
