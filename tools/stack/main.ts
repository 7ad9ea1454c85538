import { parseArgs } from 'node:util';
import { masked } from './decide.ts';
import { endStale, readLedger } from './guard.ts';
import { ledgerFile } from './paths.ts';
import { isSame, processRows, startOf, treeRss } from './processes.ts';
import { printer } from './progress.ts';
import { startStack } from './stack.ts';
import { isHeld, readState, release } from './state.ts';
import { StackError, type Engine, type Memory } from './types.ts';

const help = `The backing services of Cairn: PostgreSQL, Redis, Kafka, an S3 server and an SMTP catcher.

  node tools/stack/main.ts <command> [--name dev] [--fresh]

  up      start them, print a table, stay up until Ctrl-C
  status  what runs
  down    stop what runs, or what a crash has left

  --name   whose data, in .stack/<name>/. "dev" has fixed ports, any other free ones. Default: dev
  --fresh  up: wipe the data first

  CAIRN_ENGINES=native|compose   do not choose
  POSTGRES_URL, REDIS_URL, KAFKA_BROKERS, S3_ENDPOINT, SMTP_URL   use that engine instead`;

const say = (text: string) => void process.stdout.write(`${text}\n`);

export function table(engines: Engine[], memory: Memory[]): string {
  const megabytes = (name: string) => {
    const found = memory.find((one) => one.name === name);
    return found ? `${Math.round(found.rssBytes / 1e6)} MB` : '';
  };
  const rows = engines.map(({ name, version, how, url }) => [
    name,
    version,
    how,
    masked(url),
    megabytes(name),
  ]);
  const total = memory.reduce((sum, one) => sum + one.rssBytes, 0);
  const all = [
    ['engine', 'version', 'how', 'url', 'memory'],
    ...rows,
    ['', '', '', '', `${Math.round(total / 1e6)} MB`],
  ];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

async function up(name: string, fresh: boolean): Promise<number> {
  const calledOff = new AbortController();
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        calledOff.abort();
        resolve();
      });
    }
  });
  const ports = name === 'dev' ? 'fixed' : 'free';
  const stack = await startStack({ name, ports, fresh, report: printer(), signal: calledOff.signal });
  say(`\n${table(stack.engines, await stack.memory())}\n`);
  const mail = stack.env['MAIL_WEB_URL'];
  say(`${mail ? `Mail: ${mail}/index.html. ` : ''}Ctrl-C stops everything.`);
  const gone = new Promise<string>((resolve) => {
    stack.onEngineGone((engine, reason) =>
      resolve(`${engine.name} is gone: ${reason}. Its log: ${engine.log ?? 'none'}`),
    );
  });
  const keepAlive = setInterval(() => undefined, 60_000); // attached engines alone leave nothing to wait for
  const failure = await Promise.race([interrupted, gone]);
  clearInterval(keepAlive);
  if (failure) process.stderr.write(`${failure}\n`);
  await stack.stop();
  say('Stopped; nothing left behind.');
  return failure ? 1 : 0;
}

function status(name: string): number {
  const state = readState(name);
  if (!isHeld(state)) {
    const left = readLedger(ledgerFile(name)).filter(isSame);
    say(
      left.length > 0
        ? `"${name}" crashed and left ${left.length} processes: run down, or up.`
        : `"${name}" does not run.`,
    );
    return 1;
  }
  const rows = processRows();
  const memory = state.engines.flatMap(({ name: engine, pid }) =>
    pid ? [{ name: engine, rssBytes: treeRss(rows, pid) }] : [],
  );
  say(`"${name}" is run by pid ${state.holder.pid}.\n\n${table(state.engines, memory)}`);
  return 0;
}

async function down(name: string): Promise<number> {
  const state = readState(name);
  if (isHeld(state)) {
    const { pid } = state.holder;
    process.kill(pid, 'SIGTERM');
    const end = Date.now() + 20_000;
    while (startOf(pid) === state.holder.start) {
      if (Date.now() > end)
        throw new StackError(`pid ${pid} does not stop. Run: kill -9 ${pid}, then this again.`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  const left = await endStale(ledgerFile(name));
  release(name);
  say(
    left.length > 0
      ? `Ended what was left: ${left.join(', ')}.`
      : isHeld(state) || state
        ? `"${name}" is stopped.`
        : `"${name}" does not run.`,
  );
  return 0;
}

export async function main(args: string[]): Promise<number> {
  const options = {
    name: { type: 'string', default: 'dev' },
    fresh: { type: 'boolean', default: false },
    help: { type: 'boolean' },
  } as const;
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const commands: Record<string, () => number | Promise<number>> = {
    up: () => up(values.name, values.fresh),
    status: () => status(values.name),
    down: () => down(values.name),
  };
  const wanted = positionals[0] ?? '';
  const command = Object.hasOwn(commands, wanted) ? commands[wanted] : undefined;
  if (values.help) say(help);
  if (values.help) return 0;
  if (command) return command();
  process.stderr.write(
    `${wanted ? `Unknown command: ${wanted}` : 'Which command?'}. There are: ${Object.keys(commands).join(', ')}.\n`,
  );
  return 2;
}

if (import.meta.main) {
  process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const expected =
      error instanceof StackError || error instanceof RangeError || code.startsWith('ERR_PARSE_ARGS');
    process.stderr.write(`${expected ? (error as Error).message : String((error as Error).stack)}\n`);
    return 1;
  });
}
