import { describe, it, jest } from '@jest/globals';
import { bothWaysAlike, holds, nothingYet } from './check.fixture.ts';

jest.setTimeout(300_000);

describe('A call that takes the short way', () => {
  it('can not be told, by anything that is to be seen, from one that takes the long way', async () => {
    await holds(bothWaysAlike(nothingYet()), 'model/ways');
  });
});
