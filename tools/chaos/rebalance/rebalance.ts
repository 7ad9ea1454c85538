import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { onEngines, type Engines } from '../../local/engines.ts';
import { openKafkaDoors } from '../../local/proxied.ts';
import { table } from '../../local/tables.ts';
import { repoRoot, stackDir } from '../../stack/paths.ts';
import { step } from '../../stack/progress.ts';
import { control, UsageError } from '../kind.ts';
import type { Proxy } from '../wire/proxy.ts';
import { seeded } from '../random.ts';
import { FULL, QUICK, REBALANCES, type Churn } from './rebalance-plan.ts';
import { POISON } from './rebalance-poison.ts';
import { RebalanceRun } from './rebalance-run.ts';
import { rebalanceRows, rebalanceViolations, vacuous, type RebalanceFacts } from './rebalance-verdict.ts';

export const REBALANCE_USAGE = '[--quick] [--messages <n>] [--seed <n>] [--without inbox|hold|serial]';

const STACK = 'chaos';
const GUARDS: Record<string, string> = {
  inbox: 'claiming a message in the transaction of its effect',
  hold: 'holding what comes too early',
  serial: 'one send at a time: the idempotent producer of kafkajs with concurrent sends instead',
};

type Settings = {
  messages: number;
  steps: Churn[];
  lostAcks: number;
  seed: number;
  without: string | undefined;
};

function settingsOf(args: string[]): Settings {
  const text = { type: 'string' } as const;
  const options = { quick: { type: 'boolean' }, messages: text, seed: text, without: text } as const;
  const { values } = parseArgs({ args, options });
  const { quick = false, without } = values;
  if (without !== undefined && !Object.hasOwn(GUARDS, without))
    throw new UsageError(`--without must be one of ${Object.keys(GUARDS).join(', ')}`);
  const number = (name: 'messages' | 'seed', fallback: number) => {
    const value = Number(values[name] ?? fallback);
    if (!Number.isInteger(value) || value < 1)
      throw new UsageError(`--${name} must be a whole number above 0`);
    return value;
  };
  return {
    messages: number('messages', quick ? 300 : 1000),
    seed: number('seed', Math.trunc(Math.random() * 1e9) + 1),
    steps: quick ? QUICK : FULL,
    lostAcks: quick ? 15 : 50,
    without,
  };
}

/** Changes a group of consumers under load, loses acknowledgements, and sends poison. 1 when anything was violated. */
export async function rebalance(args: string[]): Promise<number> {
  const settings = settingsOf(args);
  const { doors, listeners } = await openKafkaDoors(['publisher']);
  const proxy = doors['publisher']!;
  try {
    const play = (engines: Engines) => played(settings, engines, proxy);
    return await onEngines(STACK, play, () => Promise.resolve(listeners));
  } finally {
    await proxy.refuse();
  }
}

async function played(settings: Settings, { stack, report, signal }: Engines, proxy: Proxy): Promise<number> {
  const { messages, steps, lostAcks, seed, without } = settings;
  const folder = join(stackDir(STACK), 'rebalance');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const began = performance.now();
  let progress = '';
  const onProgress = (text: string) => {
    progress = text;
    const elapsedMs = Math.round(performance.now() - began);
    report({ step: 'rebalance', state: 'running', message: text, elapsedMs });
  };
  const play = async () => {
    const options = { messages, steps, lostAcks, without, folder, signal, onProgress, random: seeded(seed) };
    const run = await RebalanceRun.begin(options, { stack, proxy });
    try {
      return await run.play();
    } finally {
      await run.close();
    }
  };
  const message = `${messages} messages, ${steps.length} changes of the group`;
  const facts = await step(report, 'rebalance', message, play, () => `: ${progress}`);
  return tell(facts, settings, folder);
}

function tell(
  facts: RebalanceFacts,
  { steps, lostAcks, seed, without, messages }: Settings,
  folder: string,
): number {
  const rebalances = steps.reduce((sum, one) => sum + REBALANCES[one], 0);
  const demands = { lostAcks, rebalances, poison: Object.keys(POISON) };
  const wrong = rebalanceViolations(facts, demands);
  if (!without) wrong.push(...vacuous(facts, demands));
  const again = `npm run chaos -- rebalance --messages ${messages} --seed ${seed}${steps === QUICK ? ' --quick' : ''}${without ? ` --without ${without}` : ''}`;
  writeFileSync(
    join(folder, 'ledger.json'),
    JSON.stringify({ seed, steps, without, again, wrong, ...facts }, null, 2),
  );
  console.log(`\n${table(rebalanceRows(facts))}\n`);
  console.log(
    `Seed ${seed}. Every effect, and what each member said, is in ${relative(repoRoot, folder)}.\n`,
  );
  for (const one of wrong) console.log(`${without ? '·' : '✗'} ${one}`);
  if (without) return control(GUARDS[without]!, wrong.length > 0);
  console.log(
    wrong.length === 0
      ? '✓ whatever was acknowledged has its effect, once and in order; poison held nobody up'
      : `Again: ${again}`,
  );
  return wrong.length > 0 ? 1 : 0;
}
