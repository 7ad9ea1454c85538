import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BUGS, type Bug } from './bugs.ts';
import { bundleSimulation } from './bundle.ts';
import { Crew } from './crew.ts';
import type { Done, Job } from './worker.ts';

/**
 * `npm run chaos -- simulation`: many seeds without a violation, some of them twice with the same trace, and every planted bug
 * caught. With `--seed` one seed, and what happened in it.
 */
const USAGE = '[--seeds <n>] [--quick] [--threads <n>] | --seed <n> [--trace] [--bug <name>]';
const JOB = 10;
/** Each bug must show within so many seeds. */
const BUG_SEEDS = 200;
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

type Settings = ReturnType<typeof settingsOf>;

function settingsOf(args: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = { seeds: text, seed: text, bug: text, threads: text, trace: flag, quick: flag } as const;
  const { values } = parseArgs({ args, options });
  const number = (name: 'seeds' | 'seed' | 'threads', fallback: number) => {
    const value = Number(values[name] ?? fallback);
    if (!Number.isSafeInteger(value) || value < 1) throw usage(`--${name} must be a whole number above 0`);
    return value;
  };
  if (values.bug && !Object.hasOwn(BUGS, values.bug))
    throw usage(`no bug "${values.bug}". There are: ${Object.keys(BUGS).join(', ')}`);
  return {
    seeds: number('seeds', values.quick ? 100 : 2000),
    seed: values.seed === undefined ? undefined : number('seed', 1),
    bug: values.bug as Bug | undefined,
    threads: number('threads', availableParallelism()),
    trace: values.trace ?? false,
  };
}

const usage = (message: string) => Object.assign(new Error(message), { usage: true });
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

process.exitCode = await main(process.argv.slice(2)).catch(
  (error: Error & { usage?: true; code?: string }) => {
    const wrong = error.usage || error.code?.startsWith('ERR_PARSE_ARGS');
    console.error(wrong ? `✗ ${error.message}\nnpm run chaos -- simulation ${USAGE}` : error.stack);
    return wrong ? 2 : 1;
  },
);

async function main(args: string[]): Promise<number> {
  const settings = settingsOf(args);
  const code = await bundleSimulation(root);
  const crew = new Crew(code, settings.seed === undefined ? settings.threads : 1);
  try {
    return settings.seed === undefined ? await all(crew, settings) : await one(crew, settings, settings.seed);
  } finally {
    await crew.dismiss();
  }
}

/** Shows one seed. */
async function one(crew: Crew, { bug, trace }: Settings, seed: number): Promise<number> {
  const keep = trace ? 1_000_000 : 60;
  const [done] = await crew.run([{ seeds: [seed], keep, ...(bug && { bug }) }]);
  const run = done!.caught!;
  console.log(run.tail.join('\n'));
  const of = `seed ${seed}: ${run.orders} orders, ${run.steps} steps in ${seconds(run.virtualMs)} of virtual time`;
  console.log(`\n${of}, settled ${seconds(run.settledMs)} after the healing, trace ${run.digest}`);
  for (const line of run.violations) console.log(`✗ ${line}`);
  if (run.violations.length === 0) console.log('✓ nothing is violated');
  return run.violations.length === 0 ? 0 : 1;
}

async function all(crew: Crew, settings: Settings): Promise<number> {
  const clean = await manySeeds(crew, settings);
  const same = await sameTwice(crew, clean.digests);
  const caught = await plantBugs(crew);
  return clean.ok && same && caught ? 0 : 1;
}

async function manySeeds(crew: Crew, { seeds }: Settings) {
  const began = performance.now();
  const jobs: Job[] = [];
  for (let from = 1; from <= seeds; from += JOB)
    jobs.push({ seeds: range(from, Math.min(from + JOB - 1, seeds)) });
  let ran = 0;
  const done = await crew.run(jobs, ({ runs }) => {
    ran += runs.length;
    if (process.stderr.isTTY) process.stderr.write(`\r… ${ran} of ${seeds} seeds`);
  });
  if (process.stderr.isTTY) process.stderr.write('\r');
  const runs = done.flatMap((each) => each.runs);
  const failed = runs.filter(({ violations }) => violations.length > 0);
  await report(done);
  const sum = (of: 'orders' | 'steps' | 'virtualMs') => runs.reduce((total, run) => total + run[of], 0);
  const slowest = Math.max(...runs.map(({ settledMs }) => settledMs));
  console.log(
    `${failed.length === 0 ? '✓' : '✗'} ${runs.length} seeds in ${seconds(performance.now() - began)}: ${failed.length} with violations; ` +
      `${sum('orders')} orders, ${sum('steps')} steps, ${(sum('virtualMs') / 3_600_000).toFixed(1)} h of virtual time; ` +
      `all settled within ${seconds(slowest)} of the healing`,
  );
  return { ok: failed.length === 0, digests: new Map(runs.map(({ seed, digest }) => [seed, digest])) };
}

/** What somebody needs who wants to see it again: the first failures on the screen, the end of their traces in files. */
async function report(done: Done[]): Promise<void> {
  const folder = join(root, '.stack', 'chaos', 'simulation');
  const caught = done.flatMap((each) => (each.caught ? [each.caught] : []));
  for (const { seed, violations, tail, digest } of caught.slice(0, 5)) {
    console.log(`✗ seed ${seed}, trace ${digest}`);
    for (const line of violations.slice(0, 5)) console.log(`    ${line}`);
    for (const line of tail.slice(-15)) console.log(`      ${line}`);
    console.log(`    again: npm run chaos -- simulation --seed ${seed} --trace`);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `seed-${seed}.log`), [...tail, '', ...violations, ''].join('\n'));
  }
}

/** The same seed is the same run, whatever ran before it in its thread. */
async function sameTwice(crew: Crew, digests: Map<number, string>): Promise<boolean> {
  const seeds = [...digests.keys()].slice(0, 40).reverse();
  const done = await crew.run([{ seeds: seeds.slice(0, 20) }, { seeds: seeds.slice(20) }]);
  const runs = done.flatMap((each) => each.runs);
  const differ = runs.filter(({ seed, digest }) => digests.get(seed) !== digest).map(({ seed }) => seed);
  if (differ.length > 0) console.log(`✗ another trace the second time: seeds ${differ.join(', ')}`);
  else console.log(`✓ ${runs.length} seeds a second time: the same traces`);
  return differ.length === 0;
}

async function plantBugs(crew: Crew): Promise<boolean> {
  const names = Object.keys(BUGS) as Bug[];
  const jobs = names.map((bug): Job => ({ bug, seeds: range(1, BUG_SEEDS), untilCaught: true }));
  const done = await crew.run(jobs);
  const width = Math.max(...names.map((name) => name.length));
  for (const { job, caught } of done) {
    const { leadsTo } = BUGS[job.bug!];
    const line = caught?.violations.find((each) => each.startsWith(`${leadsTo}: `));
    const by = caught ? `seed ${String(caught.seed).padStart(3)}  ${line}` : `NOT CAUGHT by ${leadsTo}`;
    console.log(`  ${job.bug!.padEnd(width)}  ${by}`);
  }
  const found = done.filter(({ caught }) => caught).length;
  console.log(
    `${found === names.length ? '✓' : '✗'} ${found} of ${names.length} planted bugs caught within ${BUG_SEEDS} seeds`,
  );
  return found === names.length;
}
