import { describe, expect, it } from '@jest/globals';
import { closest, distance } from './spelling.ts';

describe('distance', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['DATABASE', 'DATABASE', 0],
    ['DATABSE', 'DATABASE', 1],
    ['DATABASSE', 'DATABASE', 1],
    ['DATABESE', 'DATABASE', 1],
    ['DATABAES', 'DATABASE', 1],
    ['CA', 'ABC', 3],
    ['kitten', 'sitting', 3],
  ])('from %j to %j is %i, either way', (a, b, far) => {
    expect([distance(a, b), distance(b, a)]).toEqual([far, far]);
  });
});

describe('closest', () => {
  const words = ['DATABASE_URL', 'REDIS_URL', 'PORT', 'HOST', 'DRAIN_MS'];
  it.each([
    ['DATABSE_URL', 'DATABASE_URL'],
    ['DATABASE_URI', 'DATABASE_URL'],
    ['DATBASE_URI', 'DATABASE_URL'],
    ['DRIAN_MS', 'DRAIN_MS'],
    ['PORTS', 'PORT'],
    // Two of four letters would make any word out of any other.
    ['POST', 'PORT'],
    ['MOSS', undefined],
    ['DB_URL', undefined],
    ['PATH', undefined],
    ['X'.repeat(100_000), undefined],
  ])('to %s is %s', (given, meant) => {
    expect(closest(given, words)).toBe(meant);
  });
});
