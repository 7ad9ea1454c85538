/** What is known of a service's limits; `lasting` is false for what runs to its end, or when somebody calls it. */
export type Limited = { concern: string; name: string; lasting: boolean; memory?: string | undefined };

export type Budget = { concern: string; services: string[]; mebibytes: number };

const UNITS: Record<string, number> = { k: 1 / 1024, m: 1, g: 1024 };

/** Mebibytes of a limit as compose has it: "256m", "1g". @throws RangeError for anything else. */
export function mebibytesOf(limit: string): number {
  const [, number, unit = ''] = /^(\d+)([kmg])b?$/.exec(limit) ?? [];
  if (number === undefined) throw new RangeError(`a memory limit is like 256m or 1g, got ${limit}`);
  return Number(number) * UNITS[unit]!;
}

/**
 * The most memory that each concern may take at a time. What does not last is left out: one-off processes end before the
 * apps that wait for them begin.
 *
 * @throws RangeError for a service without a limit.
 */
export function budgetOf(services: Limited[]): Budget[] {
  const budgets = new Map<string, Budget>();
  for (const { concern, name, lasting, memory } of services) {
    if (memory === undefined) throw new RangeError(`${name} has no mem_limit`);
    if (!lasting) continue;
    const budget = budgets.get(concern) ?? { concern, services: [], mebibytes: 0 };
    budget.services.push(name);
    budget.mebibytes += mebibytesOf(memory);
    budgets.set(concern, budget);
  }
  return [...budgets.values()];
}

const gibibytes = (mebibytes: number) => `${(mebibytes / 1024).toFixed(1)} GiB`;

/** "engines 1.5 GiB, apps 1.3 GiB: 2.8 GiB" */
export function sentenceOf(budgets: Budget[]): string {
  const sum = budgets.reduce((all, { mebibytes }) => all + mebibytes, 0);
  return `${budgets.map(({ concern, mebibytes }) => `${concern} ${gibibytes(mebibytes)}`).join(', ')}: ${gibibytes(sum)}`;
}

/** Rows for a table of Markdown or of the terminal. */
export function rowsOf(budgets: Budget[]): string[][] {
  const sum = budgets.reduce((all, { mebibytes }) => all + mebibytes, 0);
  return [
    ...budgets.map(({ concern, services, mebibytes }) => [concern, services.join(', '), `${mebibytes} MiB`]),
    ['all', `${budgets.flatMap(({ services }) => services).length} services`, `${sum} MiB`],
  ];
}
