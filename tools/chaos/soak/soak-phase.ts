import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Stage } from '../../local/stage.ts';
import { fetchToken } from '../../local/token.ts';
import { step } from '../../stack/progress.ts';
import { stackDir } from '../../stack/paths.ts';
import type { Books, Intent } from '../audit/audit-books.ts';
import { BooksReader } from '../audit/audit.reader.ts';
import { audit, type Audit } from '../audit/audit.ts';
import { FaultRunner, type FaultStep } from '../faults/faults.runner.ts';
import { LOSE_ANSWERS, scheduleOf, type Fault } from '../faults/faults.ts';
import { seeded } from '../random.ts';
import { journeysOf, type Journey } from './soak-plan.ts';
import { GROUND, type SoakSettings } from './soak-settings.ts';
import { newTally, Shopper, type ShopperOptions, type Tally } from './soak-shopper.ts';

const LOOK_MS = 500;
const CUSTOMERS = 40;
/** In what remains of the time no order is new: the faults meet those that are under way. */
const LOAD_SHARE = 5 / 6;

export type SoakPhase = {
  schedule: Fault[];
  steps: FaultStep[];
  books: Books;
  audit: Audit;
  tally: Tally;
  /** Undefined when it did not in time. */
  settledAfterMs?: number;
};

/** Load and faults together, then all is healed, and then everybody's books are held against each other. */
export async function soakPhase(
  stage: Stage,
  settings: SoakSettings,
  skewS: Map<string, number>,
): Promise<SoakPhase> {
  const { seed, seconds, orders, faults, without } = settings;
  const plan = {
    random: seeded(seed),
    prefix: `soak-${seed}`,
    orders,
    seconds: seconds * LOAD_SHARE,
    customers: CUSTOMERS,
  };
  const journeys = journeysOf(plan);
  const ground = { random: seeded(seed + 1), seconds, count: faults, ground: GROUND };
  const schedule = scheduleOf({ ...ground, ...(without === 'payment-key' && { kinds: LOSE_ANSWERS }) });
  const file = join(stackDir(stage.launch.stack), 'soak', 'schedule.json');
  writeFileSync(file, `${JSON.stringify(schedule, null, 2)}\n`);
  const tokens = await tokensOf(journeys, stage);
  const began = performance.now();
  const nowMs = () => performance.now() - began;
  const runner = new FaultRunner(stage, skewS, nowMs);
  const patience = new AbortController();
  const tally = newTally();
  const shoppers: ShopperOptions = {
    doors: [stage.processes['orders']!.url, stage.processes['orders-2']!.url],
    tokenOf: (customer) => tokens.get(customer)!,
    ...{ random: seeded(seed + 2), signal: patience.signal, naive: without === 'idempotency-key', tally },
  };
  const reader = new BooksReader(stage.launch);
  try {
    const work = async () => {
      const load = sendAll(journeys, shoppers, nowMs, stage.signal);
      await runner.run(schedule, stage.signal);
      await delay(Math.max(0, seconds * 1000 - nowMs()), undefined, { signal: stage.signal });
      await runner.heal();
      return settle({ reader, load, patience, withinMs: settings.settle * 1000, signal: stage.signal });
    };
    const settled = await live(stage, reader, { tally, runner, seconds, nowMs }, work);
    return { schedule, steps: runner.steps, tally, ...settled };
  } finally {
    patience.abort();
  }
}

function sendAll(
  journeys: Journey[],
  options: ShopperOptions,
  nowMs: () => number,
  signal: AbortSignal,
): Promise<Intent[]> {
  const one = async (journey: Journey, i: number) => {
    await delay(Math.max(0, journey.atMs - nowMs()), undefined, { signal });
    return new Shopper(journey, options, i).shop();
  };
  const all = Promise.all(journeys.map(one));
  // Whoever waits for it may be gone by then. What is returned is this very promise: a new one would be rejected unseen.
  all.catch(() => undefined);
  return all;
}

type Settling = {
  reader: BooksReader;
  load: Promise<Intent[]>;
  patience: AbortController;
  withinMs: number;
  signal: AbortSignal;
};
type Settled = Pick<SoakPhase, 'books' | 'audit' | 'settledAfterMs'>;

/** Reads the books until nothing waits any more, or time is over. What is doubled or lost does not get better by waiting. */
async function settle({ reader, load, patience, withinMs, signal }: Settling): Promise<Settled> {
  const healed = performance.now();
  const afterMs = () => performance.now() - healed;
  const timer = setTimeout(() => patience.abort(), withinMs);
  const intents = await load.finally(() => clearTimeout(timer));
  for (;;) {
    const late = afterMs() >= withinMs;
    const leftovers = late ? {} : await reader.leftovers();
    if (Object.values(leftovers).every((count) => count === 0)) {
      const settledAfterMs = Math.round(afterMs());
      const books = { intents, ...(await reader.read()) };
      const found = audit(books);
      const waits = found.violations.length > 0 && found.violations.every(({ kind }) => kind === 'stuck');
      if (!waits || late) return { books, audit: found, ...(!waits && !late && { settledAfterMs }) };
    }
    await delay(LOOK_MS, undefined, { signal });
  }
}

type Seen = { tally: Tally; runner: FaultRunner; seconds: number; nowMs: () => number };

/** One line that tells how it goes: rewritten on a terminal, elsewhere a new one every 5 s. */
async function live<T>(stage: Stage, reader: BooksReader, seen: Seen, work: () => Promise<T>): Promise<T> {
  const { tally, runner, seconds, nowMs } = seen;
  let books = 'the books cannot be read';
  const line = () => {
    const clock = `${Math.min(seconds, Math.round(nowMs() / 1000))}/${seconds} s`;
    const broken = [...runner.active].join('; ') || 'nothing';
    return `${clock}, sent ${tally.begun}, accepted ${tally.accepted}, ${books}; broken: ${broken}`;
  };
  const leaving = new AbortController();
  const watch = async () => {
    while (!leaving.signal.aborted) {
      books = await reader.inShort().catch(() => 'the books cannot be read');
      if (process.stdout.isTTY)
        stage.report({ step: 'soak', state: 'running', message: line(), elapsedMs: Math.round(nowMs()) });
      await delay(LOOK_MS, undefined, { signal: leaving.signal }).catch(() => undefined);
    }
  };
  const watching = watch();
  try {
    return await step(stage.report, 'soak', 'orders under faults', work, () => `: ${line()}`);
  } finally {
    leaving.abort();
    await watching;
  }
}

async function tokensOf(journeys: Journey[], { launch }: Stage): Promise<Map<string, string>> {
  const customers = [...new Set(journeys.map(({ customer }) => customer))];
  const issuer = `http://127.0.0.1:${launch.ports.issuer}`;
  const tokens = customers.map(async (one) => [one, await fetchToken(one, 3600, issuer)] as const);
  return new Map(await Promise.all(tokens));
}
