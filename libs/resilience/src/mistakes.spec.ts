import { describe, expect, it } from '@jest/globals';
import { knownMistakes, type JudgedSettings } from './mistakes.ts';

const sound: JudgedSettings = {
  recoveryTimeMs: 10_000,
  openForMs: 20_000,
  successThreshold: 2,
  jitter: 'full',
  attempts: 3,
};

describe('known mistakes', () => {
  it('finds none in sound settings', () => {
    expect(knownMistakes(sound)).toEqual([]);
    expect(knownMistakes({ ...sound, jitter: 'equal', attempts: 10, successThreshold: 3 })).toEqual([]);
  });

  it('knows an open time below twice the recovery time', () => {
    expect(knownMistakes({ ...sound, openForMs: 19_999 })).toEqual([
      'openForMs is 19999, less than twice the 10000 ms that the upstream takes to recover: probes hit it while it ' +
        'is still recovering, throw it back, and the circuit never closes. Set openForMs to at least 20000',
    ]);
  });

  it('knows a success threshold of one', () => {
    expect(knownMistakes({ ...sound, successThreshold: 1 })).toEqual([
      'successThreshold is 1: one lucky call closes the circuit and lets all traffic onto an upstream that may still ' +
        'fail most calls. Set successThreshold to at least 2',
    ]);
  });

  it('knows a back-off without jitter', () => {
    expect(knownMistakes({ ...sound, jitter: 'none' })).toEqual([
      "jitter is 'none': clients that failed together retry together and knock the upstream over again. " +
        "Set jitter to 'full'",
    ]);
  });

  it.each([undefined, Infinity, NaN, 11])('knows %p attempts for no cap', (attempts) => {
    expect(knownMistakes({ ...sound, attempts })).toEqual([
      `attempts is ${attempts}, no cap worth the name: while the upstream is down every call costs it that many, ` +
        'and callers wait for nothing. Set attempts to 3, at most 10',
    ]);
  });

  it('lists all of them at once', () => {
    const settings: JudgedSettings = {
      recoveryTimeMs: 1_000,
      openForMs: 300,
      successThreshold: 1,
      jitter: 'none',
      attempts: Infinity,
    };
    expect(knownMistakes(settings)).toHaveLength(4);
  });

  it('does not judge what is not there', () => {
    expect(knownMistakes({})).toEqual([]);
    expect(knownMistakes({ openForMs: 1 })).toEqual([]);
    expect(knownMistakes({ recoveryTimeMs: 1 })).toEqual([]);
    expect(knownMistakes({ jitter: undefined, successThreshold: undefined })).toEqual([]);
  });
});
