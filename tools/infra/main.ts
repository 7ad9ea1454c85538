import { parseArgs } from 'node:util';
import { table } from '../local/tables.ts';
import { repoRoot } from '../stack/paths.ts';
import type { Check, Finding } from './check.ts';
import { CHECKS } from './checks.ts';
import { runControls, type Controlled } from './controls.ts';

/** `npm run verify:infra`: what is written down for containers, Kubernetes, AWS and CI is held against tools and code. */
const USAGE = 'npm run verify:infra -- [check…] [--controls] [--api-server] [--list]';
type Outcome = { mark: string; summary: string; seconds: string; problems: string[] };

const optional = CHECKS.filter((check) => check.optional).map(
  ({ name }) => [name, { type: 'boolean' }] as const,
);
const { values, positionals } = arguments_();

if (values['list']) {
  console.log(table(CHECKS.map(({ name, does, optional: o }) => [name, o ? `${does} (--${name})` : does])));
  process.exit();
}
const began = performance.now();
const chosen = CHECKS.filter(({ name, optional: o }) =>
  positionals.length ? positionals.includes(name) : !o || values[name],
);
const outcomes = await Promise.all(
  chosen.map(async (check) => [check.name, await outcomeOf(check)] as const),
);

console.log(
  `\n${table(outcomes.map(([name, { mark, summary, seconds }]) => [mark, name, summary, seconds]))}`,
);
for (const [name, { problems }] of outcomes) {
  if (problems.length) console.log(`\n✗ ${name}\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
}
const failed = outcomes.filter(([, { problems }]) => problems.length).length;
console.log(
  `\n${failed ? '✗' : '✓'} ${outcomes.length} checks, ${failed} with problems (${secondsSince(began)})`,
);
// Whatever still holds the event loop must not keep the terminal.
process.exit(failed ? 1 : 0);

async function outcomeOf(check: Check): Promise<Outcome> {
  const start = performance.now();
  const progress = (line: string) => console.log(`… ${check.name.padEnd(10)} ${line}`);
  try {
    const finding = values['controls']
      ? judged(await runControls(check, repoRoot, progress))
      : await check.run(repoRoot, progress);
    return { ...finding, mark: finding.problems.length ? '✗' : '✓', seconds: secondsSince(start) };
  } catch (error) {
    const { message } = error as Error;
    return { mark: '✗', summary: 'could not be checked', problems: [message], seconds: secondsSince(start) };
  }
}

function judged(results: Controlled[]): Finding {
  for (const { does, ok, said } of results) console.log(`${ok ? '✓' : '✗'} ${does}\n    ${said}`);
  const missed = results.filter(({ ok }) => !ok);
  return {
    summary: `${results.length - missed.length} of ${results.length} controls noticed`,
    problems: missed.map(({ does, said }) => `not noticed: ${does}: ${said}`),
  };
}

function secondsSince(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}

function arguments_() {
  try {
    const options = {
      list: { type: 'boolean' },
      controls: { type: 'boolean' },
      ...Object.fromEntries(optional),
    } as const;
    const parsed = parseArgs({ options, allowPositionals: true });
    const unknown = parsed.positionals.filter((name) => !CHECKS.some((check) => check.name === name));
    if (unknown.length) throw new Error(`no check "${unknown.join('", "')}"`);
    return { ...parsed, values: parsed.values as Record<string, boolean | undefined> };
  } catch (error) {
    console.error(
      `${(error as Error).message}\n${USAGE}\nThere are: ${CHECKS.map(({ name }) => name).join(', ')}`,
    );
    process.exit(2);
  }
}
