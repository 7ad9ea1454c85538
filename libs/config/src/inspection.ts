import { masked, printable } from './mask.ts';
import { resolve, type Resolution } from './resolve.ts';
import { metaOf, variablesOf, written, type Environment, type Meta, type Schema } from './schema.ts';
import { sourceOf, type Found, type ReadFile } from './sources.ts';
import { closest } from './spelling.ts';
import { aligned } from './table.ts';

/** A variable in force as it may be printed. */
export type InForce = { name: string; value: unknown; from: string };

/** What is in force, masked, of an environment without problems. */
export function inForce(schema: Schema, { config = {}, found }: Resolution<Schema>): InForce[] {
  return Object.keys(schema.shape).map((name) => {
    const each = found.get(name)!;
    return { name, value: masked(metaInForce(each), config[name]), from: sourceOf(each) };
  });
}

/** One row a variable. */
export function tableOfValues(rows: InForce[]): string {
  const cells = rows.map(({ name, value, from }) => [name, spelled(value), from]);
  return aligned([['variable', 'value', 'from'], ...cells]);
}

/**
 * What there is to say about one variable, also when it or another is bad. Undefined when there is no such variable;
 * `X_FILE` asks for X.
 */
export function explain(
  schema: Schema,
  asked: string,
  env: Environment,
  readFile: ReadFile,
): string | undefined {
  const variable = variablesOf(schema).find(({ name }) =>
    [name, `${name}_FILE`].includes(asked.toUpperCase()),
  );
  if (variable === undefined) return undefined;
  const { name, meaning, expected, unit, spelled: fallback, development, isSecret } = variable;
  const { problems, found } = resolve(schema, env, readFile);
  const problem = problems.find((each) => each.variable === name);
  const local = masked(metaOf(schema, name), development && written(development));
  const rows: [string, string | undefined][] = [
    ['meaning', meaning],
    ['expected', expected],
    ['unit', unit],
    ['default', fallback === undefined ? 'none: it is required' : fallback || '(empty)'],
    ['in development', local === undefined ? undefined : spelled(local)],
    ['secret', isSecret ? 'yes: masked when printed, kept in a Secret or a SecureString' : 'no'],
    ['from a file', `${name}_FILE=/path/of/it instead`],
    ['in force', problem ? problem.got : valueInForce(schema, found.get(name)!)],
    ['from', problem ? problem.source : sourceOf(found.get(name)!)],
    ['problem', problem && `expected ${problem.expected}: ${problem.fix}`],
  ];
  return `${name}\n${aligned(rows.filter((row): row is [string, string] => row[1] !== undefined))}`;
}

/** For who asked for a variable that there is not. */
export function noSuchVariable(schema: Schema, asked: string): string {
  const meant = closest(asked.toUpperCase(), Object.keys(schema.shape));
  return `There is no variable ${printable(asked)}. ${meant ? `Did you mean ${meant}?` : '"config" lists all.'}\n`;
}

/** Of one variable by itself: another one may be bad. */
function valueInForce(schema: Schema, found: Found): string {
  const result = schema.shape[found.name]!.safeParse(found.raw);
  return result.success ? spelled(masked(metaInForce(found), result.data)) : '(not set)';
}

/** What somebody took the trouble to put into a file is taken for a secret. */
function metaInForce({ from, meta }: Found): Meta {
  return from === 'file' ? { ...meta, secret: true } : meta;
}

function spelled(value: unknown): string {
  return printable(written(value)) || '(empty)';
}
