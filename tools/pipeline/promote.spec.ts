import { beforeEach, describe, expect, it } from '@jest/globals';
import { NotPromotedError, promote, restore, rollback, type Delivery } from './promote.ts';

const A = `sha256:${'a'.repeat(64)}`;
const B = `sha256:${'b'.repeat(64)}`;

/** What was done, in order; whatever is in `broken` fails. */
let done: string[];
let broken: Set<string>;
let standing: string[];

const act = (what: string) => {
  done.push(what);
  return broken.has(what) ? Promise.reject(new Error(`${what} is broken`)) : Promise.resolve();
};
const name = (digest: string) => (digest === A ? 'A' : 'B');
const delivery: Delivery = {
  platform: {
    take: (digest) => act(`take ${name(digest)}`),
    migrate: (digest) => act(`migrate ${name(digest)}`),
    deploy: (digest) => act(`deploy ${name(digest)}`),
    smoke: () => act('smoke'),
  },
  ledger: {
    standing: () => Promise.resolve(standing),
    add: (_environment, kind, digest) => act(`note ${kind} ${name(digest)}`),
  },
  verify: (digest) => act(`verify ${name(digest)}`),
  step: (_name, _message, work) => work(),
};

beforeEach(() => {
  done = [];
  broken = new Set();
  standing = [A];
});

describe('a promotion', () => {
  it('verifies, migrates, deploys, asks, and is noted last', async () => {
    await promote(delivery, 'staging', B);
    expect(done).toEqual(['verify B', 'take B', 'migrate B', 'deploy B', 'smoke', 'note promoted B']);
  });

  it('touches nothing when the signature is not ours', async () => {
    broken.add('verify B');
    await expect(promote(delivery, 'staging', B)).rejects.toThrow('verify B is broken');
    expect(done).toEqual(['verify B']);
  });

  it('deploys nothing when the migration fails', async () => {
    broken.add('migrate B');
    await expect(promote(delivery, 'staging', B)).rejects.toThrow('migrate B is broken');
    expect(done).not.toContain('deploy B');
  });

  it.each(['deploy B', 'smoke'])('brings back what ran when it fails at: %s', async (step) => {
    broken.add(step);
    await expect(promote(delivery, 'staging', B)).rejects.toThrow(NotPromotedError);
    expect(done.slice(-2)).toEqual(['verify A', 'deploy A']);
    expect(done).not.toContain('note promoted B');
  });

  it('says so when nothing ran before', async () => {
    standing = [];
    broken.add('smoke');
    await expect(promote(delivery, 'staging', B)).rejects.toThrow('nothing had run there before');
  });
});

describe('a rollback', () => {
  it('deploys the release before, without a migration', async () => {
    standing = [A, B];
    expect(await rollback(delivery, 'production')).toBe(A);
    expect(done).toEqual(['verify A', 'deploy A', 'smoke', 'note back A']);
  });

  it('refuses where there is no release before', async () => {
    await expect(rollback(delivery, 'production')).rejects.toThrow('none to go back to');
    expect(done).toEqual([]);
  });
});

describe('a restoration', () => {
  it('deploys what is in force', async () => {
    standing = [A, B];
    expect(await restore(delivery, 'production')).toBe(B);
    expect(done).toEqual(['verify B', 'deploy B']);
  });
});
