import { describe, it, jest } from '@jest/globals';
import { holds } from './check.fixture.ts';
import { nothingLeaks } from './races.fixture.ts';

jest.setTimeout(300_000);

describe('Whatever happens, however many microtasks apart, whichever way the clock steps', () => {
  it('loses no call and no permit, passes no limit, ends nothing early, and aborts nothing after a success', async () => {
    await holds(nothingLeaks(), 'model/races');
  });
});
