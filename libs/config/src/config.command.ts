import { loadConfig } from './config.ts';
import { explain, inForce, noSuchVariable, tableOfValues } from './inspection.ts';
import { RENDERINGS } from './renderings.ts';
import { resolve } from './resolve.ts';
import type { Environment, Schema } from './schema.ts';
import { readRegularFile } from './secret.file.ts';

const EXIT_USAGE = 2;

const USAGE = `config                    what is in force, secrets masked, and where each value comes from
config explain NAME       what a variable is for, what it takes, and what it is now
config --format FORMAT    table, json, or a file made from the schema: ${Object.keys(RENDERINGS).join(', ')}
`;

/**
 * The admin command `config`, which prints to stdout. Exits 2 for arguments that it does not know, and 78, with the
 * problems on stderr, when what is in force can't be told because the environment is bad. The renderings look at no
 * environment, and `explain` works in a bad one.
 */
export function configCommand(schema: Schema, args: string[], env: Environment = process.env): void {
  const [first, second = '', ...more] = args;
  if (first === undefined) printValues('table');
  else if (first === 'explain' && second && !more.length) printExplanation(second);
  else if (first === '--format' && ['table', 'json'].includes(second) && !more.length) printValues(second);
  else if (first === '--format' && Object.hasOwn(RENDERINGS, second) && !more.length)
    process.stdout.write(RENDERINGS[second as keyof typeof RENDERINGS](schema));
  else refuse(USAGE);

  function printValues(format: string): void {
    loadConfig(schema, env, { lines: 'stderr' });
    const rows = inForce(schema, resolve(schema, env, readRegularFile));
    const byName = Object.fromEntries(rows.map(({ name, value, from }) => [name, { value, from }]));
    process.stdout.write(format === 'json' ? `${JSON.stringify(byName, null, 2)}\n` : tableOfValues(rows));
  }

  function printExplanation(name: string): void {
    const text = explain(schema, name, env, readRegularFile);
    if (text === undefined) refuse(noSuchVariable(schema, name));
    else process.stdout.write(text);
  }
}

function refuse(text: string): void {
  process.stderr.write(text);
  process.exit(EXIT_USAGE);
}
