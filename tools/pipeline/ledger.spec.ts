import { describe, expect, it } from '@jest/globals';
import { entryOf, nextTag, standing, type Entry } from './ledger.ts';

const entries = (...tags: [tag: string, digest: string][]): Entry[] =>
  tags.map(([tag, digest]) => entryOf(tag, digest)!);

describe('the ledger of an environment', () => {
  it('has the release that was promoted last in force', () => {
    expect(standing(entries(['staging-1', 'a'], ['staging-2', 'b']), 'staging')).toEqual(['a', 'b']);
  });

  it('goes back to the one before when a release is taken back', () => {
    expect(
      standing(entries(['staging-1', 'a'], ['staging-2', 'b'], ['staging-3-back', 'a']), 'staging'),
    ).toEqual(['a']);
  });

  it('goes one further back the second time, and not forth again', () => {
    const three: [string, string][] = [1, 2, 3].map((n) => [`production-${n}`, `digest ${n}`]);
    const back: [string, string][] = [
      ['production-4-back', 'digest 2'],
      ['production-5-back', 'digest 1'],
    ];
    expect(standing(entries(...three, ...back), 'production')).toEqual(['digest 1']);
  });

  it('counts a release that was promoted again once', () => {
    expect(standing(entries(['staging-1', 'a'], ['staging-2', 'a']), 'staging')).toEqual(['a']);
  });

  it('is read in the order of numbers, the tenth after the ninth', () => {
    const tags: [string, string][] = [
      ['staging-10', 'ten'],
      ['staging-9', 'nine'],
      ['staging-2', 'two'],
    ];
    expect(standing(entries(...tags), 'staging')).toEqual(['two', 'nine', 'ten']);
    expect(nextTag(entries(...tags), 'staging', 'promoted')).toBe('staging-11');
  });

  it('is each environment’s own', () => {
    const both = entries(['staging-1', 'a'], ['staging-2', 'b'], ['production-1', 'a']);
    expect(standing(both, 'production')).toEqual(['a']);
    expect(nextTag(both, 'production', 'back')).toBe('production-2-back');
    expect(nextTag(both, 'dev', 'promoted')).toBe('dev-1');
  });

  it('knows no other tags', () => {
    for (const tag of ['latest', 'candidate-0a1b2c', '0a1b2c3', 'sha256-0a1b', 'v1.2.3'])
      expect(entryOf(tag, 'a')).toBeUndefined();
  });
});
