import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { onEngines, type Engines } from '../../local/engines.ts';
import { table } from '../../local/tables.ts';
import { repoRoot, stackDir } from '../../stack/paths.ts';
import { step } from '../../stack/progress.ts';
import { control, UsageError } from '../kind.ts';
import { OutboxRun } from './outbox-run.ts';
import { orderOf, outboxViolations, type OutboxFacts } from './outbox-verdict.ts';
import { seeded } from '../random.ts';

export const OUTBOX_USAGE = '[--quick] [--seed <n>] [--without lock|epoch|lease]';

const STACK = 'chaos';
const GUARDS: Record<string, string> = {
  lock: "the lock of the aggregate's row while its event is numbered and committed",
  epoch: 'the epoch and the clock: a relay that wakes up goes on where it was',
  lease: 'the lease: relays share the rows out with SKIP LOCKED',
};
const FULL = { writers: 8, eventsEach: 250, keys: 20, pauseMs: 160, stoppedMs: 8000 };
const QUICK = { writers: 8, eventsEach: 100, keys: 10, pauseMs: 240, stoppedMs: 5000 };

type Settings = { quick: boolean; seed: number; without?: string };

function settingsOf(args: string[]): Settings {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args, options: { quick: { type: 'boolean' }, seed: text, without: text } });
  const { quick = false, without } = values;
  const seed = Number(values.seed ?? Math.trunc(Math.random() * 1e9) + 1);
  if (!Number.isInteger(seed) || seed < 1) throw new UsageError('--seed must be a whole number above 0');
  if (without !== undefined && !Object.hasOwn(GUARDS, without))
    throw new UsageError(`--without must be one of ${Object.keys(GUARDS).join(', ')}`);
  return { quick, seed, ...(without && { without }) };
}

/** Kills and pauses the relay that publishes while writers commit. 1 when an event was lost or came out of its order. */
export function outbox(args: string[]): Promise<number> {
  const settings = settingsOf(args);
  return onEngines(STACK, (engines) => played(settings, engines));
}

async function played(settings: Settings, { stack, report, signal }: Engines): Promise<number> {
  const { quick, seed, without } = settings;
  const folder = join(stackDir(STACK), 'outbox');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const plan = quick ? QUICK : FULL;
  const began = performance.now();
  let progress = '';
  const onProgress = (message: string) => {
    progress = message;
    const elapsedMs = Math.round(performance.now() - began);
    if (process.stdout.isTTY) report({ step: 'outbox', state: 'running', message, elapsedMs });
  };
  const options = { ...plan, random: seeded(seed), folder, signal, onProgress, ...(without && { without }) };
  const run = new OutboxRun(options, stack);
  const what = `${plan.writers} writers × ${plan.eventsEach} events, two relays`;
  const facts = await step(
    report,
    'outbox',
    what,
    () => run.play(),
    () => `: ${progress}`,
  );
  return tell(facts, settings, folder);
}

function tell(facts: OutboxFacts, settings: Settings, folder: string): number {
  const { seed, quick, without } = settings;
  const wrong = outboxViolations(facts);
  const again = `npm run chaos -- outbox --seed ${seed}${quick ? ' --quick' : ''}${without ? ` --without ${without}` : ''}`;
  writeFileSync(
    join(folder, 'ledger.json'),
    JSON.stringify({ seed, without, again, wrong, ...facts }, null, 2),
  );
  const { lost, inversions, doubles } = orderOf(facts);
  const committed = Object.values(facts.written).reduce((sum, count) => sum + count, 0);
  const rows = [
    ['events committed', committed],
    ['lost', lost],
    ['out of the order of their key', inversions],
    ['delivered again', doubles],
    ['removed without the lease', facts.usurped],
    ['left in the outbox', facts.left],
    ...facts.takeOvers.map(({ how, ms }) => [
      `taken over after ${how}`,
      ms === undefined ? 'never' : `${ms} ms`,
    ]),
  ];
  console.log(`\n${table([['the outbox', ''], ...rows.map((row) => row.map(String))])}\n`);
  console.log(
    `Seed ${seed}. All that arrived, and what each relay said, is in ${relative(repoRoot, folder)}.\n`,
  );
  for (const one of wrong) console.log(`${without ? '·' : '✗'} ${one}`);
  if (without) return control(GUARDS[without]!, wrong.length > 0);
  console.log(
    wrong.length === 0
      ? '✓ nothing lost, every key in its order, and somebody took over in time'
      : `Again: ${again}`,
  );
  return wrong.length > 0 ? 1 : 0;
}
