import { describe, expect, it } from '@jest/globals';
import { problemOf } from './problem.ts';
import { ValidationError } from './validation.ts';

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
    const error = Object.assign(new Error('connect db-7.internal password=canary'), { code: 'ECONNREFUSED' });
    expect(JSON.stringify(problemOf(error))).not.toMatch(/canary|internal\b.*db/);
    expect(problemOf(error).status).toBe(500);
  });

  it('keeps the status of errors that the HTTP layer itself raised', () => {
    expect(problemOf(Object.assign(new Error('Body is not valid JSON'), { statusCode: 400 })).status).toBe(
      400,
    );
  });
});
