import { fork } from 'node:child_process';
import { table } from '../local/tables.ts';

type Table = { title: string; caption: string; rows: string[][]; missed: string[] };

/**
 * The two ways in which resilience itself becomes the outage, simulated: a breaker that never closes, and a retry storm.
 * The library's own specs assert the figures; this prints them.
 */
export async function showFailureCases(_runs: number, gate: boolean): Promise<number> {
  // In a process of its own, since the simulations are no part of the library's package.
  const child = fork('libs/resilience/src/failure-cases/main.fixture.ts');
  let missed = 0;
  child.on('message', ({ title, caption, rows, ...found }: Table) => {
    console.log(`\n${title}\n\n${table(rows)}\n\n${wrapped(caption)}`);
    for (const what of found.missed) console.log(`✗ ${what}`);
    missed += found.missed.length;
  });
  const code = await new Promise((resolve) => child.once('error', resolve).once('exit', resolve));
  if (code !== 0) throw new Error(`the simulations have ended early (${String(code)})`);
  return gate && missed > 0 ? 1 : 0;
}

function wrapped(text: string): string {
  return text.replaceAll(/(.{1,100})(?: |$)/g, '$1\n').trimEnd();
}
