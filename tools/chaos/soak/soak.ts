import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { onStage, type Stage } from '../../local/stage.ts';
import { table } from '../../local/tables.ts';
import { repoRoot, stackDir } from '../../stack/paths.ts';
import type { Books } from '../audit/audit-books.ts';
import { control } from '../kind.ts';
import { clockSkewEnvironment } from '../faults/faults-clock.ts';
import { startForgetfulGateway } from './money-keys.ts';
import { soakPhase, type SoakPhase } from './soak-phase.ts';
import { kindsOf, linesOf, moneyRows, showsDoubles, violationLines } from './soak-report.ts';
import { commandOf, PROCESSES, soakEnvironment, soakSettingsOf, type SoakSettings } from './soak-settings.ts';

const STACK = 'chaos';

/** Orders for two minutes while everything breaks, and then the audit. 1 when anything is not as it must be. */
export async function soak(args: string[]): Promise<number> {
  const settings = soakSettingsOf(args);
  const folder = join(stackDir(STACK), 'soak');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'replay.txt'), `${commandOf(settings)}\n`);
  console.log(`Replay with: ${commandOf(settings)}\n`);
  const skewS = new Map<string, number>();
  const forgetful = settings.without === 'payment-key' ? await startForgetfulGateway() : undefined;
  const env = (process: string) => ({
    ...soakEnvironment(process),
    ...clockSkewEnvironment((skewS.get(process) ?? 0) * 1000),
    ...(forgetful && process.startsWith('payments') && { GATEWAY_URL: forgetful.url }),
  });
  const play = (stage: Stage) => {
    forgetful?.lead(`http://127.0.0.1:${stage.launch.ports.gateway}`);
    return soakPhase(stage, settings, skewS);
  };
  try {
    const phase = await onStage(STACK, PROCESSES, play, { proxied: true, env });
    writeDown(folder, phase);
    return tell(folder, phase, settings);
  } finally {
    forgetful?.stop();
    // The next kind of chaos begins with fresh logs. There are none when the build failed or was called off.
    const logs = join(stackDir(STACK), 'logs');
    if (existsSync(logs)) renameSync(logs, join(folder, 'logs'));
  }
}

function writeDown(folder: string, { steps, books, audit, settledAfterMs }: SoakPhase): void {
  const lines = (rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
  write('timeline.jsonl', lines(steps));
  write('orders.jsonl', lines(linesOf(books)));
  write(
    'audit.json',
    `${JSON.stringify({ ...audit, leftovers: books.leftovers, settledAfterMs }, null, 2)}\n`,
  );
}

function tell(folder: string, phase: SoakPhase, settings: SoakSettings): number {
  const { audit, schedule, steps, books, settledAfterMs, tally } = phase;
  console.log(`\n${table(moneyRows(audit))}\n`);
  console.log(`${inWords(audit.counts)}.`);
  console.log(`Clients sent ${tally.retries} requests again and saved ${tally.draftsLost} lost drafts anew.`);
  console.log(`${schedule.length} faults of ${kindCount(phase)} kinds: ${kindsOf(schedule)}.`);
  const ended = steps.filter(({ what }) => what.endsWith('ended by itself'));
  if (ended.length > 0)
    console.log(
      `By themselves ended: ${ended.map(({ what, error }) => `${what.split(' ')[0]} (${error})`).join(', ')}.`,
    );
  if (settledAfterMs !== undefined)
    console.log(`Settled ${(settledAfterMs / 1000).toFixed(1)} s after everything was healed.`);
  console.log(`Schedule, timeline, logs, and every order: ${relative(repoRoot, folder)}/\n`);
  const late = `not settled ${settings.settle} s after everything was healed`;
  const wrong = [
    ...violationLines(audit.violations),
    ...shortOf(books, settings),
    ...(settledAfterMs === undefined ? [late] : []),
  ];
  for (const one of wrong) console.log(`${settings.without ? '·' : '✗'} ${one}`);
  if (settings.without) return control(`the ${settings.without}`, showsDoubles(audit.violations));
  if (wrong.length === 0) console.log('✓ lost 0, doubled 0, stuck 0; the money is equal in all three books');
  else console.log(`\nReplay with: ${commandOf(settings)}`);
  return wrong.length > 0 ? 1 : 0;
}

/** A soak with less in it than asked for shows less than it says. */
function shortOf({ intents }: Books, { orders }: SoakSettings): string[] {
  const accepted = intents.filter((intent) => intent.accepted.length > 0).length;
  return accepted < orders ? [`only ${accepted} of ${orders} orders were accepted`] : [];
}

const kindCount = ({ schedule }: SoakPhase) => new Set(schedule.map(({ kind }) => kind)).size;
const inWords = (counts: Record<string, number>) =>
  Object.entries(counts)
    .map(([what, count]) => `${count} ${what}`)
    .join(', ');
