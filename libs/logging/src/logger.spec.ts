import { describe, expect, it, jest } from '@jest/globals';
import { captured } from './logger.fixture.ts';
import { createLogger, createRedactor, currentContext, newContext, withContext } from './index.ts';
import { nestLogger } from './nest/index.ts';

describe('createLogger', () => {
  it('writes one JSON line an event, with ISO time, severity, and OpenTelemetry’s names', () => {
    const { logger, lines, last } = captured({ version: '1.2.3', environment: 'production' });
    logger.info({ event: 'order_confirmed', total: 3230 }, 'confirmed');
    expect(lines).toHaveLength(1);
    expect(last()).toEqual({
      severity: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      'service.name': 'orders',
      'service.version': '1.2.3',
      'deployment.environment.name': 'production',
      event: 'order_confirmed',
      total: 3230,
      msg: 'confirmed',
    });
  });

  it('tells the time to the millisecond', () => {
    const { logger, parsed } = captured();
    const instants = ['00.000', '00.007', '00.010', '00.999', '01.000', '00.999', '59.123'].map(
      (second) => `2026-11-22T12:34:${second}Z`,
    );
    jest.useFakeTimers();
    try {
      for (const instant of instants) {
        jest.setSystemTime(new Date(instant));
        logger.info('tick');
      }
    } finally {
      jest.useRealTimers();
    }
    expect(parsed().map(({ time }) => time)).toEqual(instants);
  });

  it('puts the correlation id of the work under way on every line, across awaits', async () => {
    const { logger, last } = captured();
    await withContext(newContext({ correlationId: 'request-42' }), async () => {
      await Promise.resolve();
      logger.info('inside');
    });
    expect(last()).toMatchObject({ correlation_id: 'request-42' });
    logger.info('outside');
    expect(last()).not.toHaveProperty('correlation_id');
    expect(currentContext()).toBeUndefined();
  });

  it('puts the trace of the work under way on every line', () => {
    const trace = {
      trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
      span_id: '00f067aa0ba902b7',
      trace_flags: '01',
    };
    let now: typeof trace | undefined = trace;
    const { logger, last } = captured({ trace: () => now });
    logger.info('traced');
    expect(last()).toMatchObject(trace);
    now = undefined;
    logger.info('not traced');
    expect(Object.keys(last())).toEqual(['severity', 'time', 'service.name', 'msg']);
  });

  it('writes nothing below its level, and nothing at all when silent', () => {
    const { logger, lines } = captured({ level: 'warn' });
    logger.info('no');
    logger.warn('yes');
    const silent = captured({ level: 'silent' });
    silent.logger.fatal('no');
    expect([lines.length, silent.lines.length]).toEqual([1, 0]);
  });

  it('says what is wrong with an option', () => {
    expect(() => captured({ level: 'loud' })).toThrow(/level.*"?loud/);
    expect(() => captured({ format: 'xml' as never })).toThrow(
      'format must be json, pretty or auto, got "xml"',
    );
    expect(() => createLogger({ service: '' })).toThrow('service must be a name, got ""');
  });
});

describe('redaction of a line', () => {
  const secret = 'Zx81-Spectrum-48k';
  const places: [string, (l: ReturnType<typeof captured>['logger']) => void][] = [
    ['a message', (l) => l.info(`with ${secret}`)],
    ['an argument', (l) => l.info('with %s', secret)],
    ['an object in a message', (l) => l.info('with %j', { of: secret })],
    ['a field', (l) => l.info({ event: 'x', of: secret })],
    ['a name', (l) => l.info({ [`x-${secret}`]: 1 })],
    ['a deep field', (l) => l.info({ a: [{ b: { c: `${secret}!` } }] })],
    ['an error', (l) => l.error(new Error(secret, { cause: new Error(`x${secret}`) }))],
    ['a child', (l) => l.child({ of: secret }).info('x')],
    [
      'the child of a child',
      (l) =>
        l
          .child({ a: 1 })
          .child({ of: { deep: secret } })
          .info('x'),
    ],
    [
      'later bindings',
      (l) => {
        l.setBindings({ of: secret });
        l.info('x');
      },
    ],
  ];

  it.each(places)('covers %s', (_, log) => {
    const { logger, lines } = captured({ redact: createRedactor({ secrets: [secret] }) });
    log(logger);
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain(secret);
    expect(lines[0]).toContain('[Redacted]');
  });

  it.each(places)('is what does it, in %s', (_, log) => {
    const { logger, lines } = captured({ redact: false });
    log(logger);
    expect(lines[0]).toContain(secret);
  });
});

describe('newContext', () => {
  it.each([
    undefined,
    '',
    'short',
    'x'.repeat(65),
    'line\r\nbreak-in-it',
    ['a-list-of-ids'],
    '4111111111111111',
    '4111-1111-1111-1111',
    'eyJhbGciOiJub25lIn0.e30.',
    'AKIAIOSFODNN7EXAMPLE',
  ])('replaces the correlation id %j by a new one', (given) => {
    expect(newContext({ correlationId: given }).correlationId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each(['checkout-42', '0194f0a0-0000-7000-8000-000000000002', 'a.b_c-d8'])('keeps %j', (given) => {
    expect(newContext({ correlationId: given }).correlationId).toBe(given);
  });
});

describe('nestLogger', () => {
  it('puts the chatter at debug, and errors with their stacks', () => {
    const { logger, parsed } = captured({ level: 'debug' });
    const nest = nestLogger(logger);
    nest.log('Mapped {/orders, GET} route', 'RouterExplorer');
    nest.error(new Error('broken'), 'ExceptionHandler');
    nest.error('broken', 'Error: broken\n    at here', 'ExceptionHandler');
    nest.warn('careful');
    expect(parsed()).toMatchObject([
      { severity: 'debug', event: 'nest', context: 'RouterExplorer', msg: 'Mapped {/orders, GET} route' },
      {
        severity: 'error',
        context: 'ExceptionHandler',
        err: { message: 'broken', stack: expect.any(String) },
      },
      {
        severity: 'error',
        context: 'ExceptionHandler',
        err: { message: 'broken', stack: expect.any(String) },
      },
      { severity: 'warn', msg: 'careful' },
    ]);
  });
});
