import { describe, expect, it } from '@jest/globals';
import { captured } from './logger.fixture.ts';

describe('an error', () => {
  it('is written with type, message, code, stack, and the chain of its causes', () => {
    const { logger, last } = captured();
    const root = Object.assign(new TypeError('at the root'), { code: 'ECONNREFUSED', port: 5432 });
    logger.error({ event: 'request_failed', err: new Error('outside', { cause: root }) });
    expect(last()).toMatchObject({
      severity: 'error',
      msg: 'outside',
      err: {
        type: 'Error',
        message: 'outside',
        stack: expect.stringMatching(/^Error: outside\n\s+at /),
        cause: { type: 'TypeError', message: 'at the root', code: 'ECONNREFUSED', port: 5432 },
      },
    });
  });

  it('is written with all errors in it, at any field and in any list', () => {
    const { logger, last } = captured();
    const all = new AggregateError([new Error('one'), 'two'], 'all failed');
    logger.error({ event: 'x', failures: [{ reason: all }] });
    expect(last()['failures']).toMatchObject([
      { reason: { type: 'AggregateError', errors: [{ type: 'Error', message: 'one' }, 'two'] } },
    ]);
  });

  it('ends, however its causes do not', () => {
    const { logger, last } = captured();
    const error = new Error('round');
    error.cause = error;
    const long = Array.from({ length: 100 }).reduce<Error>((cause) => new Error('link', { cause }), error);
    logger.error({ err: error });
    expect(last()['err']).toMatchObject({ message: 'round', cause: '[Circular]' });
    logger.error({ err: long });
    expect(JSON.stringify(last()).match(/"message"/g)!.length).toBeLessThan(10);
  });

  it('comes without the requests, configurations and rows that clients hang on it', () => {
    const { logger, lines, last } = captured();
    const error = Object.assign(new Error('Request failed'), {
      status: 503,
      config: { headers: { 'x-custom': 'canary' } },
      request: { body: 'canary' },
      response: { data: 'canary' },
      parameters: ['canary'],
      detail: 'Failing row contains (canary)',
    });
    logger.error(error);
    expect(lines.join()).not.toContain('canary');
    expect(last()['err']).toMatchObject({ status: 503, message: 'Request failed' });
  });

  it('may have getters that throw', () => {
    const { logger, last } = captured();
    const error = new Error('x');
    Object.defineProperty(error, 'code', {
      enumerable: true,
      get: () => {
        throw new Error('no code');
      },
    });
    Object.defineProperty(error, 'stack', {
      get: () => {
        throw new Error('no stack');
      },
    });
    logger.error({ err: error });
    expect(last()['err']).toMatchObject({ code: '[Throws: no code]', stack: '[Throws: no stack]' });
  });
});
