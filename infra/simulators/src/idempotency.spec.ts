import { describe, expect, it } from '@jest/globals';
import { fingerprint, IdempotencyKeys } from './idempotency.ts';

/** Work that ends when it is told to, and counts how often it ran. */
function work() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const counted = { runs: 0, resolve, reject, run: () => ((counted.runs += 1), promise) };
  return counted;
}

describe('idempotency keys', () => {
  it('run the work once for 100 callers at a time, and give all of them its result', async () => {
    const keys = new IdempotencyKeys<string>();
    const one = work();
    const calls = Array.from({ length: 100 }, () => keys.run('k', 'body', one.run));
    one.resolve('done');
    const results = await Promise.all(calls);
    expect(results.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(results.map(({ result }) => result))).toEqual(new Set(['done']));
    expect(one.runs).toBe(1);
  });

  it('negative control: 100 keys run it 100 times', async () => {
    const keys = new IdempotencyKeys<string>();
    const one = work();
    const calls = Array.from({ length: 100 }, (_, index) => keys.run(`k${index}`, 'body', one.run));
    one.resolve('done');
    await Promise.all(calls);
    expect(one.runs).toBe(100);
  });

  it('refuse the same key with another body, running or done', async () => {
    const keys = new IdempotencyKeys<string>();
    const one = work();
    const first = keys.run('k', 'body', one.run);
    await expect(keys.run('k', 'other', one.run)).rejects.toThrow('another body');
    one.resolve('done');
    await first;
    await expect(keys.run('k', 'other', one.run)).rejects.toThrow('another body');
    expect(one.runs).toBe(1);
  });

  it('free the key when the work failed, and tell everyone who waited', async () => {
    const keys = new IdempotencyKeys<string>();
    const failing = work();
    const calls = [keys.run('k', 'body', failing.run), keys.run('k', 'body', failing.run)];
    failing.reject(new Error('nothing happened'));
    for (const call of calls) await expect(call).rejects.toThrow('nothing happened');
    await expect(keys.run('k', 'body', async () => 'second')).resolves.toEqual({
      result: 'second',
      replayed: false,
    });
  });

  it('say neither yes nor no while the work runs', async () => {
    const keys = new IdempotencyKeys<string>();
    const one = work();
    const first = keys.run('k', 'body', one.run);
    expect(() => keys.find('k')).toThrow('still being processed');
    keys.clear();
    expect(() => keys.find('k')).toThrow('still being processed');
    one.resolve('done');
    await first;
    expect(keys.find('k')).toBe('done');
    keys.clear();
    expect(keys.find('k')).toBeUndefined();
  });
});

describe('a fingerprint', () => {
  it('is the same whatever the order of the fields, at any depth', () => {
    const print = fingerprint({ a: 1, b: { c: [1, 2], d: 'x' } });
    expect(fingerprint({ b: { d: 'x', c: [1, 2] }, a: 1 })).toBe(print);
    expect(fingerprint({ b: { d: 'x', c: [2, 1] }, a: 1 })).not.toBe(print);
    expect(fingerprint({ b: { d: 'x', c: [1, 2] }, a: '1' })).not.toBe(print);
  });
});
