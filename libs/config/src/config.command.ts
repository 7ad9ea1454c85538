import { loadConfig } from './config.ts';
import { masked, printable } from './mask.ts';
import { RENDERINGS } from './renderings.ts';
import { resolve, type Resolution } from './resolve.ts';
import { metaOf, variablesOf, written, type Environment, type Meta, type Schema } from './schema.ts';
import { readRegularFile } from './secret.file.ts';
import { sourceOf, type Found } from './sources.ts';
import { closest } from './spelling.ts';

const EXIT_USAGE = 2;

const FORMATS = ['table', 'json', ...Object.keys(RENDERINGS)];
const USAGE = `config                    what is in force, secrets masked, and where each value comes from
config explain NAME       what a variable is for, what it takes, and what it is
config --format FORMAT    ${FORMATS.join(', ')}
`;

/**
 * The admin command `config`, which prints to stdout. Exits 2 for arguments that it does not know, 78 when what is in
 * force can't be told because the environment is bad; a rendering needs no environment.
 */
export function configCommand(schema: Schema, args: string[], env: Environment = process.env): void {
  const [first = '--format', second = first === '--format' && args.length === 0 ? 'table' : '', ...more] =
    args;
  if (more.length === 0 && first === 'explain' && second) return explain(schema, second, env);
  if (more.length > 0 || first !== '--format' || !FORMATS.includes(second)) return refuse(USAGE);
  if (Object.hasOwn(RENDERINGS, second)) {
    process.stdout.write(RENDERINGS[second as keyof typeof RENDERINGS](schema));
    return;
  }
  loadConfig(schema, env, { lines: 'stderr' });
  const rows = inForce(schema, resolve(schema, env, readRegularFile));
  process.stdout.write(second === 'json' ? `${JSON.stringify(objectOf(rows), null, 2)}\n` : tableOf(rows));
}

type Row = { name: string; value: unknown; from: string };

function inForce(schema: Schema, { config = {}, found }: Resolution<Schema>): Row[] {
  return Object.entries(config).map(([name, value]) => {
    const each = found.get(name)!;
    return { name, value: masked(metaInForce(each), value), from: sourceOf(each) };
  });
}

function objectOf(rows: Row[]) {
  return Object.fromEntries(rows.map(({ name, value, from }) => [name, { value, from }]));
}

function tableOf(rows: Row[]): string {
  const cells = [
    ['variable', 'value', 'from'],
    ...rows.map(({ name, value, from }) => [name, spelled(value), from]),
  ];
  return aligned(cells);
}

function spelled(value: unknown): string {
  const text = written(value);
  return text === '' ? '(empty)' : printable(text);
}

function explain(schema: Schema, asked: string, env: Environment): void {
  const names = Object.keys(schema.shape);
  const name = names.find((known) => [known, `${known}_FILE`].includes(asked.toUpperCase()));
  if (name === undefined) {
    const meant = closest(asked.toUpperCase(), names);
    const hint = meant === undefined ? '"config" lists all.' : `Did you mean ${meant}?`;
    return refuse(`There is no variable ${printable(asked)}. ${hint}\n`);
  }
  const variable = variablesOf(schema).find((each) => each.name === name)!;
  const resolution = resolve(schema, env, readRegularFile);
  const problem = resolution.problems.find((each) => each.variable === name);
  const { spelled: fallback, development, isSecret, unit, meaning, expected } = variable;
  const meta = metaOf(schema, name);
  const rows: [string, string | undefined][] = [
    ['meaning', meaning],
    ['expected', expected],
    ['unit', unit],
    ['default', fallback === undefined ? 'none: it is required' : fallback || '(empty)'],
    ['in development', development === undefined ? undefined : spelled(masked(meta, written(development)))],
    ['secret', isSecret ? 'yes: it is masked, and kept in a Secret or a SecureString' : 'no'],
    ['from a file', `${name}_FILE=/path, instead of ${name}`],
    ['in force', problem ? problem.got : valueInForce(schema, resolution.found.get(name)!)],
    ['from', problem ? problem.source : sourceOf(resolution.found.get(name)!)],
    ['problem', problem && `expected ${problem.expected}: ${problem.fix}`],
  ];
  const told = rows.filter((row): row is [string, string] => row[1] !== undefined);
  process.stdout.write(`${name}\n${aligned(told)}`);
}

/** Also when another variable is bad. */
function valueInForce(schema: Schema, found: Found): string {
  const result = schema.shape[found.name]!.safeParse(found.raw);
  return result.success ? spelled(masked(metaInForce(found), result.data)) : '(not set)';
}

/** What somebody took the trouble to put into a file is taken for a secret. */
function metaInForce({ from, meta }: Found): Meta {
  return from === 'file' ? { ...meta, secret: true } : meta;
}

function aligned(rows: string[][]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const lines = rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ')}`.trimEnd());
  return `${lines.join('\n')}\n`;
}

function refuse(text: string): never {
  process.stderr.write(text);
  process.exit(EXIT_USAGE);
}
