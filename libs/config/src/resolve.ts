import type { z } from 'zod';
import { secretsIn, shown, without } from './mask.ts';
import { sentenceOf, type Problem, type Warning } from './problem.ts';
import { written, type Environment, type Schema } from './schema.ts';
import { environmentOf, findAll, sourceOf, type Found, type ReadFile } from './sources.ts';
import { unknownVariables } from './unknown.ts';

/** What an environment comes to: a configuration, or all that is wrong with it. */
export type Resolution<S extends Schema> = {
  config?: z.infer<S>;
  found: Map<string, Found>;
  problems: Problem[];
  warnings: Warning[];
};

/** Reads the schema's variables from the environment and from the files that it names. Throws nothing. */
export function resolve<S extends Schema>(schema: S, env: Environment, readFile: ReadFile): Resolution<S> {
  const found = findAll(schema, env, readFile);
  const warnings = unknownVariables(schema, env);
  const hints = new Map(warnings.map((warning) => [warning.suggestion?.replace(/_FILE$/, ''), warning]));
  const secrets = [...found.values()].flatMap(secretsOfFound);
  const tell = (found: Found, rest: Partial<Problem>): Problem => told(found, rest, secrets, hints);

  // Staging differs from production in its name only: what it accepts goes on to production.
  const isReal = ['staging', 'production'].includes(environmentOf(schema, env, readFile));
  const early = [...found.values()].flatMap((each) => {
    const refused =
      each.refused ?? (isPlaceholder(each) ? PLACEHOLDER : isReal ? development(each) : undefined);
    return refused ? [tell(each, refused)] : [];
  });
  const result = schema.safeParse(
    Object.fromEntries([...found.values()].map(({ name, raw }) => [name, raw])),
  );
  const known = new Set(early.map(({ variable }) => variable));
  const late = (result.error?.issues ?? []).flatMap((issue) => {
    const each = found.get(String(issue.path[0])) ?? { name: '(all)', meta: {}, from: 'not set' };
    return known.has(each.name) ? [] : [tell(each, judged(each, issue))];
  });
  const problems = inOrder([...early, ...late], [...found.keys()]);
  if (problems.length || !result.success)
    return { found, problems, warnings: warnings.filter((warning) => !isTold(warning, problems)) };
  return { config: result.data as z.infer<S>, found, problems, warnings };
}

const PLACEHOLDER = {
  expected: 'a value',
  got: 'the placeholder of the example',
  fix: 'put the value in its place',
};

/** The renderings put the name in angle brackets where a value belongs. */
function isPlaceholder({ name, raw }: Found): boolean {
  return raw === `<${name}>`;
}

function development({ meta, raw }: Found) {
  if (meta.development === undefined || raw === undefined) return undefined;
  const passwords = secretsIn(meta, meta.development);
  const isSame =
    raw === written(meta.development) || secretsIn(meta, raw).some((own) => passwords.includes(own));
  if (!isSame) return undefined;
  const fix = "set this deployment's own; DEPLOYMENT_ENVIRONMENT=development is for a developer's machine";
  return { expected: 'no development default in staging or production', fix };
}

function judged({ name, raw }: Found, issue: z.core.$ZodIssue): Partial<Problem> {
  // What contradicts another variable may be a default; what is missing was not judged at all.
  const fromBlock = (issue as { params?: { fix?: string } }).params;
  if (raw === undefined && issue.code !== 'custom')
    return { problem: 'missing', fix: `set ${name}, or ${name}_FILE to a path` };
  if (fromBlock) return { problem: issue.message, ...(fromBlock.fix && { fix: fromBlock.fix }) };
  const [mistake, remedy] = issue.message.split('. Set ');
  if (remedy) return { problem: issue.message, expected: mistake!, fix: `set ${remedy}` };
  return { problem: issue.message, expected: issue.message.replace(/^expected /, '') };
}

function told(
  found: Found,
  rest: Partial<Problem>,
  secrets: string[],
  hints: Map<string | undefined, Warning>,
): Problem {
  const { name, meta, raw, from } = found;
  const hint = raw === undefined && !found.refused ? hints.get(name) : undefined;
  const expected = rest.expected ?? meta.expected ?? 'another value';
  return {
    variable: name,
    source: without(secrets, sourceOf(found)),
    problem: `expected ${expected}`,
    got: raw === undefined ? valueOf(found) : shown(from === 'file' ? { secret: true } : meta, raw, secrets),
    fix: meta.default === undefined ? 'correct it' : 'correct it, or unset it for its default',
    meaning: meta.description ?? '',
    ...rest,
    expected,
    ...(hint && { fix: sentenceOf(hint) }),
  };
}

function valueOf({ from, meta }: Found): string {
  return (from === 'default' && written(meta.default, meta)) || '(not set)';
}

/** The row of the variable that is missing says it. */
function isTold(warning: Warning, problems: Problem[]): boolean {
  return problems.some(({ fix }) => fix === sentenceOf(warning));
}

/** What is not to be seen in any message, whichever variable it was put into. */
function secretsOfFound({ meta, raw, path, refused, from }: Found): string[] {
  if (refused && path !== undefined) return [path].filter((path) => !path.includes('/'));
  if (raw === undefined) return [];
  return from === 'file' ? [raw] : secretsIn(meta, raw);
}

function inOrder(problems: Problem[], names: string[]): Problem[] {
  return problems.toSorted((a, b) => names.indexOf(a.variable) - names.indexOf(b.variable));
}
