import { describe, expect, it } from '@jest/globals';
import { RetryBudget, type BudgetOptions } from './budget.ts';

/** A budget on a clock that is set by hand. */
function budget(options: BudgetOptions) {
  const clock = { ms: 1_000, reads: 0, now: () => (clock.reads++, clock.ms) };
  return { clock, budget: new RetryBudget(options, clock) };
}

function drain(of: RetryBudget, most = 100_000): number {
  let taken = 0;
  while (taken < most && of.tryWithdraw()) taken++;
  return taken;
}

function deposit(into: RetryBudget, calls: number): void {
  for (let call = 0; call < calls; call++) into.deposit();
}

describe('retry budget', () => {
  it('starts with one second of retries', () => {
    expect(drain(budget({ perSecond: 10 }).budget)).toBe(10);
  });

  it('starts with one retry when a second earns less, and with none when it earns nothing', () => {
    expect(drain(budget({ perSecond: 0.1 }).budget)).toBe(1);
    expect(drain(budget({ perSecond: 0 }).budget)).toBe(0);
  });

  it('lets one retry in five calls through by default, and ten a second', () => {
    const { budget: tokens, clock } = budget({});
    drain(tokens);
    deposit(tokens, 50);
    expect(drain(tokens)).toBe(10);
    clock.ms += 1_000;
    expect(drain(tokens)).toBe(10);
  });

  it('never lets more than ratio retries a call through while calls alone fill it', () => {
    for (const ratio of [0, 0.05, 0.1, 0.2, 0.3, 1]) {
      const { budget: tokens } = budget({ ratio, perSecond: 0 });
      let retries = 0;
      for (let call = 0; call < 1_000; call++) {
        tokens.deposit();
        if (tokens.tryWithdraw()) retries++;
      }
      expect(retries).toBe(Math.round(1_000 * ratio));
    }
  });

  it('earns parts of a token and pays out whole ones', () => {
    const { budget: tokens, clock } = budget({ ratio: 0, perSecond: 1 });
    drain(tokens);
    clock.ms += 999;
    expect(tokens.tryWithdraw()).toBe(false);
    clock.ms += 1;
    expect(tokens.tryWithdraw()).toBe(true);
    expect(tokens.tryWithdraw()).toBe(false);
  });

  it('holds ten seconds of retries and not more, however long the calm', () => {
    const { budget: tokens, clock } = budget({ perSecond: 10 });
    clock.ms += 3_600_000;
    deposit(tokens, 100_000);
    expect(tokens.balance).toBe(100);
    expect(drain(tokens)).toBe(100);
  });

  it('holds at least ten, so that calls alone can save some up', () => {
    const { budget: tokens } = budget({ ratio: 0.2, perSecond: 0 });
    deposit(tokens, 1_000);
    expect(drain(tokens)).toBe(10);
  });

  it('is neither drained nor frozen by a clock that steps back', () => {
    const { budget: tokens, clock } = budget({ ratio: 0, perSecond: 10 });
    clock.ms -= 3_600_000;
    expect(tokens.balance).toBe(10);
    expect(drain(tokens)).toBe(10);
    clock.ms += 500;
    expect(drain(tokens)).toBe(5);
  });

  it('reads no clock for a call, only for a retry', () => {
    const { budget: tokens, clock } = budget({});
    const before = clock.reads;
    deposit(tokens, 1_000);
    expect(clock.reads).toBe(before);
    tokens.tryWithdraw();
    expect(clock.reads).toBe(before + 1);
  });

  it('bounds three nested layers of four attempts that share it: 64 calls without, 2 with one retry to spend', () => {
    const attempts = (allowed: () => boolean) => {
      let calls = 0;
      const layer = (depth: number): void => {
        for (let attempt = 1; attempt <= 4; attempt++) {
          if (attempt > 1 && !allowed()) return;
          if (depth === 1) calls++;
          else layer(depth - 1);
        }
      };
      layer(3);
      return calls;
    };
    expect(attempts(() => true)).toBe(64);
    const { budget: shared } = budget({ ratio: 0.2, perSecond: 1 });
    expect(attempts(() => shared.tryWithdraw())).toBe(2);
  });

  it('runs on the clock of the platform by default', () => {
    expect(new RetryBudget().balance).toBeGreaterThanOrEqual(10);
  });

  it('refuses options that make no sense and quotes them', () => {
    for (const ratio of [-0.1, 1.5, NaN]) {
      expect(() => new RetryBudget({ ratio })).toThrow(
        new RangeError(`ratio must be in [0, 1], got ${ratio}`),
      );
    }
    for (const perSecond of [-1, NaN, Infinity]) {
      const message = `perSecond must be a finite number from 0, got ${perSecond}`;
      expect(() => new RetryBudget({ perSecond })).toThrow(new RangeError(message));
    }
  });
});
