/** What a library tells, as a log line has it: names in snake case, durations in whole milliseconds. */
export function logFields(told: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(told).map(([name, value]: [string, unknown]) => [
      name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      name.endsWith('Ms') ? Math.round(Number(value)) : value,
    ]),
  );
}
