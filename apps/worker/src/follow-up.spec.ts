import { describe, expect, it } from '@jest/globals';
import { followUpId } from './follow-up.ts';

const cause = '0194f0a0-0000-7000-8000-0000000000e1';

describe('the id of a follow-up', () => {
  it('is a UUID, the same for the same cause', () => {
    expect(followUpId('receipt.stored.v1', cause)).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(followUpId('receipt.stored.v1', cause)).toBe(followUpId('receipt.stored.v1', cause));
  });

  it('differs by cause and by type', () => {
    const ids = [
      followUpId('receipt.stored.v1', cause),
      followUpId('receipt.stored.v2', cause),
      followUpId('receipt.stored.v1', 'other'),
    ];
    expect(new Set(ids).size).toBe(3);
  });
});
