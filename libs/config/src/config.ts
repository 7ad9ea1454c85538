import type { z } from 'zod';

export type Environment = Record<string, string | undefined>;
export type Problem = { variable: string; problem: string; got: string; meaning: string };

type Schema = z.ZodObject<Record<string, z.ZodType>>;
type Meta = {
  description?: string;
  unit?: string;
  default?: unknown;
  secret?: boolean;
  url?: boolean;
};

/** EX_CONFIG of sysexits.h: the process can't start with this environment, and a restart won't help. */
const EXIT_CONFIG = 78;

/** Every problem of the environment at once, so that a deployment is repaired in one round and not in five. */
export class ConfigError extends Error {
  readonly problems: Problem[];
  constructor(problems: Problem[]) {
    super(
      `The environment has ${problems.length} problem${problems.length === 1 ? '' : 's'}:\n${table(problems)}`,
    );
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/**
 * Reads the schema's variables from the environment. A variable set to the empty string counts as not set.
 * @throws ConfigError with all problems; values of secrets are never part of it.
 */
export function parseConfig<S extends Schema>(schema: S, env: Environment): z.infer<S> {
  const names = Object.keys(schema.shape);
  const given = Object.fromEntries(names.map((name) => [name, env[name] || undefined]));
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  throw new ConfigError(
    result.error.issues.map((issue) => {
      const variable = String(issue.path[0] ?? '(all)');
      const meta = metaOf(schema, variable);
      const got = env[variable];
      return {
        variable,
        // What contradicts another variable may be a default.
        problem: got || issue.code === 'custom' ? issue.message : 'missing',
        got: got ? mask(meta, got) : '(not set)',
        meaning: meta.description ?? '',
      };
    }),
  );
}

/** `parseConfig` for `main`: prints all problems to stderr and exits 78 instead of throwing. */
export function loadConfig<S extends Schema>(schema: S, env: Environment = process.env): z.infer<S> {
  try {
    return parseConfig(schema, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\nSet them and start again. "config" prints what is in force.\n`);
    process.exit(EXIT_CONFIG);
  }
}

/** The configuration in force, safe to print: secrets and passwords in URLs are masked. */
export function maskedConfig<S extends Schema>(schema: S, config: z.infer<S>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [
      name,
      typeof value === 'string' ? mask(metaOf(schema, name), value) : value,
    ]),
  );
}

export type Variable = { name: string; meaning: string; unit?: string; default?: unknown };

/** What there is to set, for documentation; a variable without a default is required. */
export function variablesOf(schema: Schema): Variable[] {
  return Object.keys(schema.shape).map((name) => {
    const { description: meaning = '', unit, default: fallback } = metaOf(schema, name);
    return { name, meaning, ...(unit && { unit }), ...(fallback !== undefined && { default: fallback }) };
  });
}

function metaOf(schema: Schema, variable: string): Meta {
  return (schema.shape[variable]?.meta() ?? {}) as Meta;
}

function mask(meta: Meta, value: string): string {
  if (meta.secret) return '********';
  if (!meta.url) return value;
  // A malformed URL can't be taken apart, so whatever stands before an @ might be a password.
  if (!URL.canParse(value)) return value.replace(/^.*@/, '********@');
  const parsed = new URL(value);
  if (parsed.password) parsed.password = '********';
  return parsed.toString();
}

function table(problems: Problem[]): string {
  const width = Math.max(...problems.map((p) => p.variable.length));
  return problems
    .map((p) => `  ${p.variable.padEnd(width)}  ${p.problem}, got ${p.got}${p.meaning && ` (${p.meaning})`}`)
    .join('\n');
}
