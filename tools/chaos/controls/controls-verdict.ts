import type { Guard } from './guards.ts';

/** What jest says of the tests with one title. `broken`: files that could not even be loaded. */
export type Counts = { passed: number; failed: number; broken: number };

/** One guard: its test with it and without it. `without` is missing when it failed with it already. */
export type Trial = { guard: Guard; with: Counts; without?: Counts; tookMs: number };

export function violationsOf({ guard: { name, spec, test }, with: before, without }: Trial): string[] {
  const which = `'${test}' (${spec})`;
  if (before.broken + before.failed > 0 || before.passed === 0)
    return [`${name}: ${which} does not pass as it is: ${told(before)}`];
  if (!without) return [`${name}: was not tried`];
  if (without.broken > 0) return [`${name}: without it nothing runs, which shows nothing`];
  if (without.failed === 0) return [`${name}: ${which} passes without it`];
  return [];
}

export function rowsOf(trials: Trial[]): string[][] {
  const rows = trials.map((trial) => [
    trial.guard.name,
    told(trial.with),
    trial.without ? told(trial.without) : '–',
    violationsOf(trial).length === 0 ? 'holds' : 'NO',
    `${(trial.tookMs / 1000).toFixed(1)} s`,
    trial.guard.spec,
  ]);
  return [['taken out', 'with it', 'without it', 'control', 'took', 'spec'], ...rows];
}

function told({ passed, failed, broken }: Counts): string {
  if (broken > 0) return 'does not load';
  return failed > 0 ? `${failed} failed` : passed > 0 ? `${passed} passed` : 'no such test';
}

/** For jest's `-t`, which takes a pattern; `%s` and the like stand for what an `it.each` puts there. */
export function patternOf(title: string): string {
  return `${title
    .split(/%[a-z]/)
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*')}$`;
}
