import type { Schema } from './schema.ts';

type Refinement = { issues: { path?: PropertyKey[] }[]; addIssue: (issue: object) => void };

/**
 * The schema, which now also refuses a value of the first variable above that of the second: what drains for longer than
 * it has until its deadline is ended while it drains. Both are numbers.
 *
 * @throws RangeError when the schema does not know them
 */
export function notAbove<S extends Schema>(schema: S, variable: string, limit: string): S {
  for (const name of [variable, limit])
    if (!Object.hasOwn(schema.shape, name)) throw new RangeError(`the schema has no ${name}`);
  const refuse = (config: Record<string, unknown>, { issues, addIssue }: Refinement) => {
    // What is bad by itself is told already.
    if (issues.some(({ path }) => path?.[0] === variable || path?.[0] === limit)) return;
    const [value, most] = [config[variable], config[limit]];
    if (typeof value !== 'number' || typeof most !== 'number' || value <= most) return;
    const message = `${variable} is ${value}, more than ${limit}, ${most}. Set it to at most ${most}`;
    addIssue({ code: 'custom', path: [variable], message, input: value });
  };
  // Also when other variables are bad: a deployment is repaired in one round.
  return schema.superRefine(refuse as never, { when: () => true });
}
