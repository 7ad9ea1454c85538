import { GCProfiler } from 'node:v8';
import { median, type Case, type Entrant, type Finding } from './cases.ts';
import type { Contestant } from './loops.ts';

const ROUNDS = 60;
const WARM_UP_MS = 60;
const BATCH_MS = 2;
/** A contestant whose batch takes longer runs in one round of ten: the others are not to wait for it. */
const SLOW_BATCH_MS = 30;

interface Runner extends Contestant {
  name: Entrant;
  calls: number;
  slow: boolean;
}

/**
 * Runs the contestants of a case in interleaved rounds: each makes a batch of calls per round, and a batch is compared
 * with the floor's in the same round. A minor collection precedes each batch, and none is due within one: nobody pays
 * for the garbage of another, and nobody for its own, which favours those who make the most.
 */
export async function measure(one: Case, field: Map<Entrant, Contestant>): Promise<Finding> {
  const runners: Runner[] = [];
  for (const [name, contestant] of field) runners.push(await warmUp(one, name, contestant));
  const ratios = new Map<Entrant, number[]>(runners.map(({ name }) => [name, []]));
  const floors: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const times = new Map<Entrant, number>();
    for (let i = 0; i < runners.length; i++) {
      const runner = runners[(i + round) % runners.length]!; // nobody always comes after the same one
      if (!runner.slow || round % 10 === 0) times.set(runner.name, (await timed(one, runner)) / runner.calls);
    }
    const floor = times.get('floor')!;
    floors.push(floor);
    for (const [name, ms] of times) ratios.get(name)!.push(one.figure(ms, floor));
  }
  const bytes = { floor: NaN, ours: NaN };
  for (const runner of runners) {
    if (runner.name === 'floor' || runner.name === 'ours') bytes[runner.name] = await allocated(one, runner);
    await runner.check?.();
  }
  const figures = Object.fromEntries([...ratios].map(([name, all]) => [name, median(all)]));
  return { figures, bytes, floorNs: median(floors) * 1e6 };
}

/** Runs it until it is optimised, and finds out how many calls take `BATCH_MS`. */
async function warmUp(one: Case, name: Entrant, contestant: Contestant): Promise<Runner> {
  const runner: Runner = { ...contestant, name, calls: contestant.calls ?? 64, slow: false };
  let fastestMs = Infinity;
  for (let spentMs = 0, batches = 0; spentMs < WARM_UP_MS || batches < 2; batches++) {
    const ms = await timed(one, runner);
    spentMs += ms;
    fastestMs = Math.min(fastestMs, ms);
    if (contestant.calls === undefined && ms < BATCH_MS) runner.calls *= 2;
  }
  // By its fastest, since any batch may have waited for the processor; and all are compared with the floor.
  runner.slow = name !== 'floor' && fastestMs > SLOW_BATCH_MS;
  return runner;
}

async function timed(one: Case, runner: Runner): Promise<number> {
  await settled(runner);
  const began = performance.now();
  const good = await runner.batch(runner.calls);
  const ms = performance.now() - began;
  assertGood(one, runner, good);
  return ms;
}

/** Timers that are due have run and the young generation is empty. */
async function settled(runner: Runner): Promise<void> {
  await runner.prepare?.();
  await new Promise((resolve) => setImmediate(resolve));
  globalThis.gc!({ type: 'minor' });
}

function assertGood(one: Case, { name, calls }: Runner, good: number): void {
  if (good !== calls)
    throw new Error(`${one.id}, ${name}: ${good} of ${calls} calls came out as they should`);
}

/** Bytes per call: what the heap has grown by, in a stretch in which nothing was collected. */
async function allocated(one: Case, runner: Runner): Promise<number> {
  const found: number[] = [];
  for (let attempt = 0; attempt < 20 && found.length < 3; attempt++) {
    await settled(runner);
    const collections = new GCProfiler();
    collections.start();
    const before = process.memoryUsage().heapUsed;
    const good = await runner.batch(runner.calls);
    const after = process.memoryUsage().heapUsed;
    const quiet = collections.stop()!.statistics.length === 0;
    assertGood(one, runner, good);
    if (quiet) found.push((after - before) / runner.calls);
  }
  if (found.length < 3)
    throw new Error(`${one.id}, ${runner.name}: a collection fell into every measurement`);
  return median(found);
}
