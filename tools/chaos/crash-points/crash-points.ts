import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { randomUUID } from 'node:crypto';
import { APPS } from '../../local/apps.ts';
import { onStage, type Stage } from '../../local/stage.ts';
import { table } from '../../local/tables.ts';
import { repoRoot, stackDir } from '../../stack/paths.ts';
import { step } from '../../stack/progress.ts';
import { CRASH_POINTS, type CrashPoint } from './crash-point-table.ts';
import { CrashSeries } from './crash-run.ts';
import { crashViolations, type CrashRun } from './crash-verdict.ts';
import { UsageError } from '../kind.ts';
import { WireWatch, type Door } from '../wire/wire-watch.ts';

export const USAGE = '[--quick] [--point <part of its name>] [--times <n>] [--seed <n>] [--without key]';

/** The point at which a payment that is charged under a new key at each attempt is charged twice. */
const CONTROL_POINT = 'payments: charge, after';
const DOORS: Door[] = ['postgres', 'kafka', 's3', 'smtp', 'gateway'];

type Settings = { points: CrashPoint[]; times: number; seed: number; control: 'also' | 'only' | 'none' };
type Judged = { run: CrashRun; violations: string[] };

export function settingsOf(args: string[]): Settings {
  const text = { type: 'string' } as const;
  const options = {
    quick: { type: 'boolean' },
    point: text,
    times: text,
    seed: text,
    without: text,
  } as const;
  const { values } = parseArgs({ args, options });
  const number = (name: 'times' | 'seed', fallback: number) => {
    const value = Number(values[name] ?? fallback);
    if (!Number.isInteger(value) || value < 1)
      throw new UsageError(`--${name} must be a whole number above 0`);
    return value;
  };
  if (values.without !== undefined && values.without !== 'key')
    throw new UsageError('--without knows "key" only');
  const only = values.point;
  const points = CRASH_POINTS.filter(({ name, quick }) =>
    only ? name.includes(only) : !values.quick || quick,
  );
  if (points.length === 0)
    throw new UsageError(
      `no point has "${only}" in its name. There are:\n  ${CRASH_POINTS.map(({ name }) => name).join('\n  ')}`,
    );
  return {
    points,
    times: number('times', values.quick ? 1 : 3),
    seed: number('seed', Math.trunc(Math.random() * 1e6) + 1),
    control: values.without ? 'only' : only ? 'none' : 'also',
  };
}

/** Kills an app at every point, several times. 1 when anything was lost, doubled or late, or a point never reached. */
export async function crashPoints(args: string[]): Promise<number> {
  const settings = settingsOf(args);
  // A job that is due often: the scheduler has something to be killed at.
  const often = { EXPIRE_UNPAID_ORDERS: '*/2 * * * * *' };
  const naive = { keys: false };
  let watches = new Map<string, WireWatch>();
  return onStage(
    'chaos',
    APPS,
    (stage) => crashAll(stage, new CrashSeries(stage, watches), settings, naive),
    {
      proxied: true,
      env: (app): Record<string, string> => (app === 'scheduler' ? often : {}),
      onProxies: (proxies) => (watches = watchAll(proxies, naive)),
    },
  );
}

async function crashAll(
  stage: Stage,
  series: CrashSeries,
  settings: Settings,
  naive: { keys: boolean },
): Promise<number> {
  const folder = join(stackDir(stage.launch.stack), 'crash-points');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const judged: Judged[] = [];
  const crash = async (point: CrashPoint, n: number) => {
    const run = await series.run(point, n, seedOf(settings.seed, point.name, n));
    const one = { run, violations: crashViolations(run, point) };
    writeFileSync(join(folder, 'runs.jsonl'), `${JSON.stringify(one)}\n`, { flag: 'a' });
    return one;
  };
  await step(stage.report, 'warm-up', 'one order all the way', () => series.warmUp(settings.seed));
  const wanted = settings.control === 'only' ? [] : settings.points;
  for (const point of wanted)
    for (let n = 1; n <= settings.times; n++) {
      const one = await crash(point, n);
      judged.push(one);
      console.log(line(one));
    }
  const failed = judged.filter(({ violations }) => violations.length > 0);
  if (wanted.length > 0) console.log(`\n${summary(judged)}`);
  for (const { run, violations } of failed)
    console.log(`✗ ${run.point}:\n    ${few(violations).join('\n    ')}`);
  if (failed.length > 0) console.log(`again: ${again(failed[0]!.run.point, settings)}`);
  let blind = false;
  if (settings.control !== 'none') {
    naive.keys = true;
    blind = !sees(
      await crash(
        CRASH_POINTS.find(({ name }) => name === CONTROL_POINT)!,
        0,
      ),
    );
  }
  console.log(
    `every run: ${relative(repoRoot, join(folder, 'runs.jsonl'))}, logs: ${relative(repoRoot, join(stackDir(stage.launch.stack), 'logs'))}`,
  );
  if (failed.length > 0 || blind) return 1;
  if (wanted.length > 0)
    console.log('✓ every point was hit: nothing lost or doubled, all of it settled in time');
  return 0;
}

/** The control: without the payment's own key a crash after the charge must be seen as a double charge. */
function sees({ violations }: Judged): boolean {
  const seen = violations.find((text) => /was charged \d+ times/.test(text));
  console.log(
    seen
      ? `✓ control: with a new key at each attempt the books say: ${seen}`
      : `✗ control: a new key at each attempt was not seen: ${few(violations).join('; ') || 'no violation'}`,
  );
  return seen !== undefined;
}

function watchAll(proxies: Stage['proxies'], naive: { keys: boolean }): Map<string, WireWatch> {
  const freshKey = (chunk: Buffer) => {
    const text = chunk.toString('latin1');
    if (!naive.keys || !text.startsWith('POST /v1/charges')) return undefined;
    return Buffer.from(text.replace(/^idempotency-key: .*$/im, `idempotency-key: ${randomUUID()}`), 'latin1');
  };
  return new Map(
    Object.entries(proxies).flatMap(([app, of]) =>
      DOORS.map((door): [string, WireWatch] => [
        `${app} ${door}`,
        new WireWatch(of[door], door, door === 'gateway' ? freshKey : undefined),
      ]),
    ),
  );
}

/** Of its own for each run: one point alone goes as it went among all. */
function seedOf(seed: number, name: string, n: number): number {
  return [...`${name} ${n}`].reduce((hash, char) => (Math.imul(hash, 31) + char.charCodeAt(0)) >>> 0, seed);
}

const few = (texts: string[]) =>
  texts.length > 8 ? [...texts.slice(0, 8), `and ${texts.length - 8} more`] : texts;

const seconds = (ms?: number) => (ms === undefined ? '–' : `${(ms / 1000).toFixed(1)} s`);

function line({ run, violations }: Judged): string {
  const times = `ready ${seconds(run.readyMs)}, settled ${seconds(run.convergedMs)}`;
  return `${violations.length > 0 ? '✗' : '✓'} ${run.point} (${run.run}): ${times}, ${run.orders} orders`;
}

function summary(judged: Judged[]): string {
  const rows = [...Map.groupBy(judged, ({ run }) => run.point)].map(([point, of]) => {
    const most = (pick: (run: CrashRun) => number | undefined) =>
      Math.max(...of.map(({ run }) => pick(run) ?? NaN));
    const sum = (pick: (run: CrashRun) => number) =>
      String(of.reduce((total, { run }) => total + pick(run), 0));
    return [
      point,
      `${of.filter(({ run }) => run.hit !== undefined).length} of ${of.length}`,
      sum(({ orders }) => orders),
      seconds(most(({ readyMs }) => readyMs)),
      seconds(most(({ convergedMs }) => convergedMs)),
      sum(({ mailsAgain }) => mailsAgain),
      String(of.reduce((total, { violations }) => total + violations.length, 0)),
    ];
  });
  return table([
    ['killed at', 'hit', 'orders', 'ready, worst', 'settled, worst', 'mails again', 'violations'],
    ...rows,
  ]);
}

const again = (point: string, { seed, times }: Settings) =>
  `npm run chaos -- crash-points --point "${point}" --times ${times} --seed ${seed}`;
