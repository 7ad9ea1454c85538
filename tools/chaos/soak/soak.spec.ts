import { describe, expect, it } from '@jest/globals';
import { FAULT_KINDS, nameOf, scheduleOf, type Fault } from '../faults/faults.ts';
import { seeded } from '../random.ts';
import { journeysOf } from './soak-plan.ts';
import { commandOf, soakSettingsOf } from './soak-settings.ts';

const ground = {
  replicas: ['orders-a', 'orders-b', 'payments-a'],
  links: ['orders→kafka', 'orders→postgres'],
};
const schedule = (seed: number, count = 24, seconds = 120) =>
  scheduleOf({ random: seeded(seed), seconds, count, ground });
const SEEDS = Array.from({ length: 60 }, (_, i) => i + 1);

describe('a schedule of faults', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(schedule(5)).toEqual(schedule(5));
    expect(schedule(5)).not.toEqual(schedule(6));
  });

  it('has as many faults as asked for, in order, all over in time, and every kind among them', () => {
    for (const seed of SEEDS) {
      const faults = schedule(seed);
      expect(faults.map(({ number }) => number)).toEqual(faults.map((_, i) => i + 1));
      expect(faults.length).toBe(24);
      expect(faults.map(({ atMs }) => atMs)).toEqual(faults.map(({ atMs }) => atMs).sort((a, b) => a - b));
      expect(Math.max(...faults.map(({ atMs, forMs }) => atMs + forMs))).toBeLessThanOrEqual(120_000);
      expect(new Set(faults.map(({ kind }) => kind)).size).toBe(Object.keys(FAULT_KINDS).length);
    }
  });

  it('never strikes what is struck already, and strikes several things at once', () => {
    let overlaps = 0;
    const during = (one: Fault, other: Fault) => other.atMs >= one.atMs && other.atMs < one.atMs + one.forMs;
    for (const seed of SEEDS) {
      const faults = schedule(seed);
      const pairs = faults.flatMap((one, i) => faults.slice(i + 1).map((other) => [one, other] as const));
      for (const [one, other] of pairs.filter(([a, b]) => during(a, b))) {
        expect(one.target).not.toBe(other.target);
        overlaps++;
      }
    }
    expect(overlaps).toBeGreaterThan(SEEDS.length);
  });

  it('fits a quick run too', () => {
    for (const seed of SEEDS) expect(schedule(seed, 8, 25).length).toBe(8);
  });

  it('says so when the time is too short', () => {
    expect(() => schedule(1, 40, 10)).toThrow('take fewer, or longer');
  });

  it('is told in words', () => {
    const fault = { number: 1, atMs: 0, kind: 'latency', target: 'orders→kafka', forMs: 3000, amount: 120 };
    expect(nameOf(fault as Fault)).toBe('latency orders→kafka 120 ms, 3.0 s');
    expect(nameOf({ number: 1, atMs: 0, kind: 'flush', target: 'redis', forMs: 0 })).toBe('flush redis');
  });
});

describe('the journeys of a soak', () => {
  const journeys = (seed: number) =>
    journeysOf({ random: seeded(seed), prefix: 't', orders: 2000, seconds: 120, customers: 20 });

  it('are the same for the same seed, exactly as many as asked for, and spread over the time', () => {
    const all = journeys(3);
    expect(all).toEqual(journeys(3));
    expect(all.length).toBe(2000);
    const inFirstHalf = all.filter(({ atMs }) => atMs < 60_000).length;
    expect(inFirstHalf).toBeGreaterThan(900);
    expect(inFirstHalf).toBeLessThan(1100);
  });

  it('have a draft and a key of their own each, and a total that is the sum of the lines', () => {
    const all = journeys(4);
    expect(new Set(all.map(({ draftId }) => draftId)).size).toBe(2000);
    expect(new Set(all.map(({ key }) => key)).size).toBe(2000);
    for (const { total, lines } of all)
      expect(total).toBe(lines.reduce((sum, line) => sum + line.quantity * line.unitPrice, 0));
  });

  it('have declined cards, cancels, and confirmations that are sent twice among them', () => {
    const all = journeys(5);
    for (const some of [
      all.filter(({ cardIsGood }) => !cardIsGood),
      all.filter(({ cancelAfterMs }) => cancelAfterMs !== undefined),
      all.filter(({ twice }) => twice),
    ]) {
      expect(some.length).toBeGreaterThan(100);
      expect(some.length).toBeLessThan(260);
    }
    expect(new Set(all.map(({ currency }) => currency))).toEqual(new Set(['EUR', 'USD', 'JPY', 'KWD']));
  });
});

describe('the settings of a soak', () => {
  it('are those of the issue unless told otherwise, and a quick one is a tenth of it', () => {
    const seed = () => 0.5;
    expect(soakSettingsOf([], seed)).toMatchObject({ seconds: 120, orders: 2000, faults: 24, settle: 30 });
    expect(soakSettingsOf(['--quick'], seed)).toMatchObject({ seconds: 12, orders: 200, faults: 4 });
  });

  it('are all in the command that replays', () => {
    const settings = soakSettingsOf(['--orders', '7', '--seed', '3', '--without', 'payment-key']);
    const command = commandOf(settings);
    expect(command).toBe(
      'npm run chaos -- soak --seconds 120 --orders 7 --faults 24 --settle 30 --seed 3 --without payment-key',
    );
    expect(soakSettingsOf(command.split(' -- soak ')[1]!.split(' '))).toEqual(settings);
  });

  it('are refused when they are no numbers, or a control that nobody knows', () => {
    expect(() => soakSettingsOf(['--orders', 'many'])).toThrow('--orders must be a whole number above 0');
    expect(() => soakSettingsOf(['--without', 'luck'])).toThrow('--without must be one of idempotency-key');
  });
});
