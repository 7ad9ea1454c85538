import { fork } from 'node:child_process';
import { run } from '../local/run.ts';
import { table } from '../local/tables.ts';
import { printer, step } from '../stack/progress.ts';
import { CASES, MAX_SCALING, median, type Case, type Entrant, type Findings } from './resilience/cases.ts';

/**
 * Calls through our library, cockatiel and opossum against a bare `await fn()`: interleaved, in several processes one
 * after another. What counts is the build that is shipped.
 */
export async function benchResilience(runs: number, gate: boolean): Promise<number> {
  const report = printer();
  // `--force`, since a `dist` that somebody has thinned out is up to date to `tsc`.
  await step(report, 'build', 'libs/resilience', () => run('tsc', ['-b', '--force', 'libs/resilience']));
  const all: Findings[] = [];
  for (let i = 1; i <= runs; i++) {
    const name = `run ${i}/${runs}`;
    all.push(await step(report, name, `${CASES.length} cases in a process of its own`, () => oneProcess(i)));
  }
  const rows = CASES.map((one) => row(one, all));
  const header = ['case', 'limit', 'ours', 'bytes', 'cockatiel', 'opossum', 'verdict'];
  console.log(`\n${table([header, ...rows.map(({ cells }) => cells)])}\n\n${legend(all)}`);
  return gate && rows.some(({ missed }) => missed) ? 1 : 0;
}

/** Without `--conditions=@cairn/source`: '@cairn/resilience' is `dist` there, as it is for those who install it. */
function oneProcess(index: number): Promise<Findings> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('./resilience/child.ts', import.meta.url), [`${index}`], {
      // A young generation in which no batch needs a collection, from the first one on.
      execArgv: ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    child.once('message', (said: { findings: Findings } | { error: string }) =>
      'findings' in said ? resolve(said.findings) : reject(new Error(said.error)),
    );
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`a process of the benchmark has left early (${code})`)));
  });
}

function row(one: Case, all: Findings[]): { cells: string[]; missed: boolean } {
  const over = (name: Entrant) =>
    all.map((findings) => findings[one.id].figures[name]).filter((figure) => figure !== undefined);
  const rival = (name: 'cockatiel' | 'opossum') => {
    const [tuned, byDefault] = [over(name), over(`${name} default`)];
    if (tuned.length === 0) return '–';
    const extra = byDefault.length > 0 ? ` (default ${digits(median(byDefault))})` : '';
    return `${digits(median(tuned))}${one.unit}${extra}`;
  };
  const ours = median(over('ours'));
  const bytesOf = (who: 'ours' | 'floor') =>
    Math.round(median(all.map((findings) => findings[one.id].bytes[who])));
  const added = bytesOf('ours') - bytesOf('floor');
  const small = over('small');
  const scaling = small.length > 0 ? ours / median(small) : 0;
  const reasons = [
    ours <= one.limit ? '' : `${Math.round((ours / one.limit - 1) * 100)} % over`,
    added <= (one.maxBytes ?? Infinity) ? '' : `${added - one.maxBytes!} B over`,
    scaling <= MAX_SCALING ? '' : 'not O(1)',
  ].filter(Boolean);
  const limit = `${one.limit}${one.unit}`;
  return {
    missed: reasons.length > 0,
    cells: [
      one.title,
      one.maxBytes ? `${limit}, ${one.maxBytes} B` : small.length > 0 ? `${limit}, O(1)` : limit,
      `${digits(ours)}${one.unit}${small.length > 0 ? ` (${digits(scaling)}× of 100 calls)` : ''}`,
      `${bytesOf('floor')} ${added < 0 ? '−' : '+'} ${Math.abs(added)}`,
      rival('cockatiel'),
      rival('opossum'),
      reasons.length > 0 ? `MISSED: ${reasons.join(', ')}` : 'within',
    ],
  };
}

function legend(all: Findings[]): string {
  const over = (pick: (findings: Findings) => number) => digits(median(all.map(pick)));
  const [plain, failing] = [over(({ full }) => full.floorNs), over(({ failure }) => failure.floorNs)];
  return [
    `×: times the floor, a bare \`await fn()\` in the same round: ${plain} ns, ${over(({ full }) => full.bytes.floor)} B.`,
    `µs: less the floor. A bare call that fails and is caught costs ${failing} ns, and is taken off a failure.`,
    'bytes: what the bare call allocates, and what a call of ours adds to it; the limit is for what it adds.',
    `Figures are the median over ${all.length} processes of the median over rounds. The others are tuned for speed and`,
    'without telemetry; opossum is always its whole breaker and cannot retry. –: no equivalent.',
  ].join('\n');
}

const digits = (figure: number) => figure.toPrecision(figure < 100 ? 3 : Math.ceil(Math.log10(figure)));
