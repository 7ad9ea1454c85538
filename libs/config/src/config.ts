import type { z } from 'zod';
import { masked, secretsIn } from './mask.ts';
import { ConfigError, lineOfProblems, lineOfWarning, sentenceOf, type Warning } from './problem.ts';
import { resolve } from './resolve.ts';
import { metaOf, nameOf, type Environment, type Schema } from './schema.ts';
import { readRegularFile } from './secret.file.ts';
import type { ReadFile } from './sources.ts';

/** EX_CONFIG of sysexits.h: the process can't start with this environment, and a restart won't help. */
const EXIT_CONFIG = 78;

export type ParseOptions = {
  /** Reads what `X_FILE` names. Default: a regular file of at most 1 MiB, in UTF-8. */
  readFile?: ReadFile;
};

/**
 * Reads the schema's variables from the environment, each by itself or from the file that `X_FILE` names. A variable set
 * to the empty string counts as not set.
 * @throws ConfigError with all problems; values of secrets are never part of it.
 */
export function parseConfig<S extends Schema>(
  schema: S,
  env: Environment,
  { readFile = readRegularFile }: ParseOptions = {},
): z.infer<S> {
  const { config, problems, warnings } = resolve(schema, env, readFile);
  if (!config) throw new ConfigError(problems, warnings);
  return printedMasked(schema, config);
}

export type LoadOptions = ParseOptions & {
  /** Told of each variable that is set and that nobody reads. Default: printed, as problems are. */
  onWarning?: (warning: Warning) => void;
  /**
   * Where a line of JSON goes when nobody sits at the terminal. Default `stdout`, which is where the logs of a process
   * are collected; `stderr` for commands whose output is their result.
   */
  lines?: 'stdout' | 'stderr';
};

/**
 * `parseConfig` for `main`: prints all problems and exits 78 instead of throwing. They are a table on stderr when that is
 * a terminal, and one line of JSON otherwise.
 */
export function loadConfig<S extends Schema>(
  schema: S,
  env: Environment = process.env,
  { readFile = readRegularFile, onWarning, lines = 'stdout' }: LoadOptions = {},
): z.infer<S> {
  const { service } = nameOf(schema);
  const say = (text: () => string, line: () => string) =>
    process.stderr.isTTY ? process.stderr.write(`${text()}\n`) : process[lines].write(`${line()}\n`);
  const { config, problems, warnings } = resolve(schema, env, readFile);
  if (!config) {
    const error = new ConfigError(problems, warnings);
    say(
      () => `${error.message}\n\nSet them and start again; "config explain NAME" tells more of one.`,
      () => lineOfProblems(error, { service }),
    );
    process.exit(EXIT_CONFIG);
  }
  const warn = (warning: Warning) =>
    void say(
      () => sentenceOf(warning),
      () => lineOfWarning(warning, { service }),
    );
  warnings.forEach(onWarning ?? warn);
  return printedMasked(schema, config);
}

/** The configuration in force, safe to print: secrets and passwords in URLs are masked. */
export function maskedConfig<S extends Schema>(schema: S, config: z.infer<S>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [name, masked(metaOf(schema, name), value)]),
  );
}

/** Every secret of the configuration, passwords in URLs included, for whoever takes them out of logs. */
export function secretsOf<S extends Schema>(schema: S, config: z.infer<S>): string[] {
  const all = Object.entries(config).flatMap(([name, value]) => secretsIn(metaOf(schema, name), value));
  return [...new Set(all)];
}

/** Whoever logs or prints the whole configuration prints it masked. A copy of it is a plain object again. */
function printedMasked<S extends Schema>(schema: S, config: z.infer<S>): z.infer<S> {
  for (const key of ['toJSON', Symbol.for('nodejs.util.inspect.custom')])
    Object.defineProperty(config, key, { value: () => maskedConfig(schema, config) });
  return config;
}
