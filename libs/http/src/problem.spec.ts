import { describe, expect, it } from '@jest/globals';
import { instanceOf, problemOf, redactedProblem, retryAfterOf } from './problem.ts';
import { ValidationError } from './validation.ts';

describe('retryAfterOf', () => {
  it.each([
    [1, { code: 'key_in_flight', kind: 'conflict', retryAfterS: 1 }, 409],
    [30, { code: 'too_busy', kind: 'unavailable', retryAfterS: 30 }, 503],
    [5, { code: 'keys_away', kind: 'unavailable' }, 503],
    [undefined, { code: 'key_reused', kind: 'unprocessable' }, 422],
    [undefined, { retryAfterS: 1 }, 500],
  ])('is %s for %j', (expected, error, status) => {
    expect(retryAfterOf(Object.assign(new Error('no'), error), status)).toBe(expected);
  });
});

describe('problemOf', () => {
  it('maps the kind of an error to a status and keeps its code', () => {
    const error = Object.assign(new Error('No such order.'), { code: 'order_not_found', kind: 'not_found' });
    expect(problemOf(error, '/orders/1')).toEqual({
      type: 'urn:cairn:problem:order_not_found',
      title: 'Not Found',
      status: 404,
      code: 'order_not_found',
      detail: 'No such order.',
      instance: '/orders/1',
    });
  });

  it('names every field of an invalid request', () => {
    const error = new ValidationError([{ message: 'too small', path: ['lines', 0, 'quantity'] }]);
    expect(problemOf(error)).toMatchObject({
      status: 400,
      errors: [{ field: 'lines.0.quantity', message: 'too small' }],
    });
  });

  it('tells nothing of an unexpected error', () => {
    const error = new Error('db-7.internal said password=canary');
    expect(JSON.stringify(problemOf(error))).not.toMatch(/canary|db-7/);
    expect(problemOf(error).status).toBe(500);
  });

  it('keeps the status of errors that the HTTP layer itself raised, but not their words', () => {
    const error = Object.assign(new SyntaxError('Unexpected token, "canary" is not valid JSON'), {
      statusCode: 400,
    });
    expect(problemOf(error)).toMatchObject({ status: 400, detail: 'The body is not valid JSON.' });
    const missing = Object.assign(new Error('Cannot GET /canary?token=canary'), { getStatus: () => 404 });
    expect(problemOf(missing)).toMatchObject({ code: 'route_not_found', detail: 'There is no such path.' });
  });
});

describe('something that a service stands on', () => {
  const coded = (code: string) => Object.assign(new Error('at db-7.internal, canary'), { code });
  const named = (name: string) => Object.assign(new Error('canary'), { name });

  it.each([
    ['a refused connection', coded('ECONNREFUSED')],
    ['a name that is not found', coded('ENOTFOUND')],
    ['all addresses refused', new AggregateError([coded('ECONNREFUSED')], 'all')],
    ['a failed fetch', new TypeError('fetch failed', { cause: coded('UND_ERR_CONNECT_TIMEOUT') })],
    ['PostgreSQL that shuts down', coded('57P01')],
    ['PostgreSQL without a free connection', coded('53300')],
    ['a broken connection to PostgreSQL', coded('08006')],
    ['a pool that waited', new Error('timeout exceeded when trying to connect')],
    ['a connection that went', new Error('Connection terminated unexpectedly')],
    ['Redis that is away', named('MaxRetriesPerRequestError')],
    ['Redis that is silent', new Error('Command timed out')],
    ['a broker that is away', named('KafkaJSNumberOfRetriesExceeded')],
  ])('is away: %s', (_, error) => {
    const problem = problemOf(error);
    expect(problem).toMatchObject({ status: 503, code: 'dependency_unavailable' });
    expect(JSON.stringify(problem)).not.toMatch(/canary|db-7/);
  });

  it.each([
    ['a unique row that is there already', coded('23505')],
    ['a query that took too long', coded('57014')],
    ['a bug', new TypeError("Cannot read properties of undefined (reading 'code')")],
    ['what is no error', 'ECONNREFUSED'],
  ])('is not: %s', (_, error) => {
    expect(problemOf(error)).toMatchObject({ status: 500, code: 'internal_error' });
  });

  it('is not looked for in a circle of causes', () => {
    const error = new Error('round');
    error.cause = error;
    expect(problemOf(error).status).toBe(500);
  });
});

describe('instanceOf', () => {
  const id = '0194f0a0-0000-7000-8000-000000000002';
  it.each([
    ['an id', { url: `/orders/${id}?token=canary`, route: '/orders/:id' }, `/orders/${id}`],
    ['a number', { url: '/pages/12', route: '/pages/:page' }, '/pages/12'],
    ['anything else', { url: '/orders/canary/lines', route: '/orders/:id/lines' }, '/orders/:id/lines'],
    ['what is encoded', { url: '/orders/%63anary', route: '/orders/:id' }, '/orders/:id'],
    ['a path that we do not have', { url: '/canary' }, undefined],
  ])('shows of %s what is safe', (_, asked, shown) => {
    expect(instanceOf(asked)).toBe(shown);
  });
});

describe('redactedProblem', () => {
  it('looks at every text, at any depth', () => {
    const error = new ValidationError([{ message: 'Unrecognized key: "canary"', path: ['canary', 1] }]);
    const problem = redactedProblem(problemOf(error), (text) => text.replaceAll('canary', '[Redacted]'));
    expect(problem).toMatchObject({
      status: 400,
      errors: [{ field: '[Redacted].1', message: 'Unrecognized key: "[Redacted]"' }],
    });
  });
});
