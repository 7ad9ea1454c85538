import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { onStage, type Stage } from '../../local/stage.ts';
import { table } from '../../local/tables.ts';
import { repoRoot, stackDir } from '../../stack/paths.ts';
import { step } from '../../stack/progress.ts';
import { clockSkewEnvironment } from '../faults/faults-clock.ts';
import { control, UsageError } from '../kind.ts';
import { seeded } from '../random.ts';
import { faultsOf, type Fault } from './scheduler-faults.ts';
import { GRACE_S, JOBS, schedulerPhase, type Phase } from './scheduler-phase.ts';
import { missingTicks, violationsOf, type Violation } from './scheduler-verdict.ts';

export const SCHEDULER_USAGE = '[--quick] [--seed <n>] [--without <claim|database-clock>]';

/** What can be left out, and what the verdict must then find. */
const CONTROLS: Record<string, Violation['kind'][]> = {
  claim: ['double'],
  'database-clock': ['early', 'missing', 'order'],
};

const SKEWS_MS: Record<string, number> = { scheduler: -300_000, 'scheduler-2': 0, 'scheduler-3': 300_000 };
const STACK = 'chaos-scheduler';

type Settings = { quick: boolean; seed: number; without?: string };

function settingsOf(args: string[]): Settings {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args, options: { quick: { type: 'boolean' }, seed: text, without: text } });
  const seed = Number(values.seed ?? Math.trunc(Math.random() * 1e9) + 1);
  if (!Number.isInteger(seed) || seed < 1) throw new UsageError('--seed must be a whole number above 0');
  const { quick = false, without } = values;
  if (without !== undefined && !Object.hasOwn(CONTROLS, without))
    throw new UsageError(`--without must be one of ${Object.keys(CONTROLS).join(', ')}`);
  return { quick, seed, ...(without && { without }) };
}

/** Three replicas with clocks ten minutes apart, broken one after the other: each tick has its effect once. */
export async function scheduler(args: string[]): Promise<number> {
  const settings = settingsOf(args);
  const faults = faultsOf(seeded(settings.seed), settings.quick, Object.keys(SKEWS_MS).length);
  const env = (process: string) => environmentOf(process, settings);
  return onStage(STACK, Object.keys(SKEWS_MS), (stage) => played(stage, faults, settings), {
    proxied: true,
    env,
  });
}

function environmentOf(process: string, { without }: Settings): Record<string, string> {
  const { NODE_OPTIONS = '' } = clockSkewEnvironment(SKEWS_MS[process] ?? 0);
  const naive = `--import=${pathToFileURL(join(import.meta.dirname, 'scheduler-naive.ts')).href}`;
  const policies = Object.entries(JOBS).flatMap(([job, { policy }]) => {
    const variable = job.toUpperCase().replaceAll('-', '_');
    return [
      [variable, '* * * * * *'],
      [`${variable}_MISSED`, policy],
    ];
  });
  return {
    ...(Object.fromEntries(policies) as Record<string, string>),
    MISSED_GRACE_S: String(GRACE_S),
    RUN_TIMEOUT_S: '8',
    // Without the claim only replicas that look at the very same moment collide.
    LOOK_MS: without === 'claim' ? '10' : '100',
    ...((NODE_OPTIONS || without) && {
      NODE_OPTIONS: [NODE_OPTIONS, without && naive].filter(Boolean).join(' '),
    }),
    ...(without && { CHAOS_WITHOUT: without }),
  };
}

async function played(stage: Stage, faults: Fault[], settings: Settings): Promise<number> {
  const { quick, without } = settings;
  const began = performance.now();
  let progress = '';
  const onProgress = (text: string) => {
    progress = text;
    const elapsedMs = Math.round(performance.now() - began);
    if (process.stdout.isTTY) stage.report({ step: 'faults', state: 'running', message: text, elapsedMs });
  };
  const work = () =>
    schedulerPhase(stage, { faults, leastTicks: quick ? 15 : 60, dropKey: without === 'claim', onProgress });
  const phase = await step(
    stage.report,
    'faults',
    'three replicas, -5, 0 and +5 min',
    work,
    () => `: ${progress}`,
  );
  const wrong = [...phase.books.flatMap((book) => violationsOf(book, phase)), ...hollow(phase)];
  const folder = writeDown({ settings, faults, phase, wrong });
  return tell(phase, wrong, settings, folder);
}

/** What nothing was tried with proves nothing. */
function hollow({ books, byReplica, untilMs }: Phase): Violation[] {
  const idle = Object.entries(byReplica).filter(([, count]) => count === 0);
  const passedOver = books
    .filter(({ policy }) => policy !== 'all')
    .flatMap(({ announced }) => missingTicks(announced, untilMs));
  const retried = books.flatMap(({ announced }) => announced).filter(({ attempts }) => attempts > 1);
  const say = (text: string): Violation => ({ kind: 'hollow', text });
  return [
    ...idle.map(([name]) => say(`${name} announced nothing`)),
    ...(passedOver.length === 0 ? [say('the downtime cost no tick of a job that may lose some')] : []),
    ...(retried.length === 0 ? [say('no run was announced again')] : []),
  ];
}

function tell(phase: Phase, wrong: Violation[], settings: Settings, folder: string): number {
  const { books, byReplica, untilMs, deliveries, downtimes } = phase;
  const rows = books.map((book) => {
    const lateMs = book.announced.map(({ atMs, tickMs }) => atMs - tickMs).sort((a, b) => a - b);
    const again = book.announced.filter(({ attempts }) => attempts > 1).length;
    const effects = [...book.effects.values()].reduce((sum, times) => sum + times, 0);
    return [
      ...[
        book.job,
        book.policy,
        String(book.announced.length),
        String(missingTicks(book.announced, untilMs).length),
      ],
      ...[
        String(again),
        String(effects),
        `${lateMs[Math.floor(lateMs.length / 2)]} ms`,
        `${lateMs.at(-1)} ms`,
      ],
    ];
  });
  const head = ['job', 'missed', 'announced', 'passed over', 'again', 'effects', 'late p50', 'late max'];
  console.log(`\n${table([head, ...rows])}\n`);
  const shares = Object.entries(byReplica).map(
    ([name, count]) => `${name} (${SKEWS_MS[name]! / 60_000} min) ${count}`,
  );
  const downS = downtimes.reduce((sum, [from, to]) => sum + to - from, 0) / 1000;
  console.log(
    `Announced by ${shares.join(', ')}. ${deliveries} deliveries. All down for ${downS.toFixed(1)} s.`,
  );
  console.log(`Schedule, timeline and every run: ${relative(repoRoot, folder)}/; seed ${settings.seed}\n`);
  const shown = Object.values(Object.groupBy(wrong, ({ kind }) => kind)).flatMap((same) => same.slice(0, 5));
  for (const { kind, text } of shown) console.log(`${settings.without ? '·' : '✗'} ${kind}: ${text}`);
  if (wrong.length > shown.length) console.log(`  and ${wrong.length - shown.length} more`);
  if (settings.without) {
    const kinds = CONTROLS[settings.without]!;
    return control(
      `the ${settings.without}`,
      wrong.some(({ kind }) => kinds.includes(kind)),
    );
  }
  if (wrong.length === 0)
    console.log("✓ each tick had its effect once, none is missing beyond its job's policy");
  else
    console.log(
      `\nReplay with: npm run chaos -- scheduler --seed ${settings.seed}${settings.quick ? ' --quick' : ''}`,
    );
  return wrong.length > 0 ? 1 : 0;
}

function writeDown({
  settings,
  faults,
  phase,
  wrong,
}: {
  settings: Settings;
  faults: Fault[];
  phase: Phase;
  wrong: Violation[];
}): string {
  const folder = join(stackDir(STACK), 'scheduler');
  mkdirSync(folder, { recursive: true });
  const json = (name: string, value: unknown) =>
    writeFileSync(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
  json('schedule.json', { ...settings, faults });
  json('timeline.json', phase.steps);
  json(
    'runs.json',
    phase.books.map(({ effects, ...book }) => ({ ...book, effects: [...effects] })),
  );
  json('violations.json', wrong);
  return folder;
}
