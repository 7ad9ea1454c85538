import { describe, expect, it } from '@jest/globals';
import type { Child } from './child.ts';
import { Restartable } from './restartable.ts';

/** A life without a process: it ends when it is told to. */
function life(pid: number) {
  const ended = Promise.withResolvers<string>();
  const child: Child = { name: 'engine', pid, log: '', exited: ended.promise, stop: async () => undefined };
  return { child, end: ended.resolve };
}

describe('a process that ends by itself', () => {
  it('is told to whoever asks only afterwards: an engine may go while the others still start', async () => {
    const { child, end } = life(1);
    const engine = new Restartable('engine', () => Promise.resolve(child), child);
    end('signal SIGSEGV');
    await child.exited;
    const told: string[] = [];
    engine.onGone((how, pid) => told.push(`${pid}: ${how}`));
    expect(told).toEqual(['1: signal SIGSEGV']);
    expect(engine.pid).toBeUndefined();
  });

  it('is not told any more once it was started again', async () => {
    const [first, second] = [life(1), life(2)];
    const engine = new Restartable('engine', () => Promise.resolve(second.child), first.child);
    first.end('exit code 1');
    await first.child.exited;
    await engine.start();
    const told: string[] = [];
    engine.onGone((how) => told.push(how));
    expect([engine.pid, told]).toEqual([2, []]);
    second.end('exit code 3');
    await second.child.exited;
    expect(told).toEqual(['exit code 3']);
  });
});
