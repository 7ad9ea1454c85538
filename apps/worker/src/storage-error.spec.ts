import { describe, expect, it } from '@jest/globals';
import { asStorageError } from './storage-error.ts';

const answered = (httpStatusCode: number) =>
  Object.assign(new Error('no'), { $metadata: { httpStatusCode } });

describe('a failure of object storage', () => {
  it.each([500, 502, 503, 429, 409])('is worth waiting for when the answer is %d', (status) => {
    expect(asStorageError(answered(status)).transient).toBe(true);
  });

  it.each([400, 403, 404])('is not when the answer is %d', (status) => {
    expect(asStorageError(answered(status)).transient).toBe(false);
  });

  it('is worth waiting for when there was no answer, and not when it is a bug of ours', () => {
    expect(asStorageError(Object.assign(new Error(), { code: 'ECONNREFUSED' })).transient).toBe(true);
    expect(asStorageError(new TypeError('x is undefined')).transient).toBe(false);
  });
});
