/** What `config --format json` of an app printed, by variable. */
export type Effective = Record<string, { value: unknown; from: string }>;
/** One stage of an app: what it was given, and what came of it. */
export type Told = {
  stage: string;
  variables: Record<string, string>;
  secrets: readonly string[];
  code: number;
  out: string;
};
/** A start without some variables. */
export type Refused = { without: readonly string[]; code: number; out: string };

export const EXIT_CONFIG = 78;

/** What is wrong with the configurations that one image came to, in a sentence each. */
export function configurationViolations(told: readonly Told[]): string[] {
  const alike = told.flatMap((one, i) =>
    told
      .slice(i + 1)
      .filter((other) => other.out === one.out)
      .map((other) => `${one.stage} and ${other.stage} have the same configuration`),
  );
  return [...told.flatMap(violationsOf), ...alike];
}

/** How many variables are not the same in all stages. */
export function differing(told: readonly Told[]): number {
  const all = told.map(({ out }) => effectiveOf(out) ?? {});
  const names = [...new Set(all.flatMap(Object.keys))];
  return names.filter((name) => new Set(all.map((one) => JSON.stringify(one[name]?.value))).size > 1).length;
}

/** A missing variable has to end the start with 78, named, and no other with it. */
export function refusalViolations({ without, code, out }: Refused, required: readonly string[]): string[] {
  const missing = without.join(', ');
  if (code !== EXIT_CONFIG) return [`without ${missing} it exits ${code}, not ${EXIT_CONFIG}`];
  const told = new Set(problemsOf(out));
  return required
    .filter((name) => told.has(name) !== without.includes(name))
    .map((name) => `without ${missing}: ${name} is ${told.has(name) ? 'told as well' : 'not told'}`);
}

function violationsOf({ stage, variables, secrets, code, out }: Told): string[] {
  const effective = effectiveOf(out);
  if (code !== 0 || !effective) return [`${stage}: config exits ${code}: ${out.slice(0, 500)}`];
  const ignored = Object.keys(variables).filter((name) => effective[name]?.from !== 'environment');
  const shown = secrets.filter((name) => {
    const given = variables[name]!;
    const [password] = /:[^:@/]+@/.exec(given) ?? [];
    if (!password && given.includes('://')) return false; // a URL without a password is no secret
    return String(effective[name]?.value).includes(password ?? given);
  });
  return [
    ...ignored.map((name) => `${stage}: ${name} is set, and not what is in force`),
    ...shown.map((name) => `${stage}: ${name} is shown`),
  ];
}

function effectiveOf(out: string): Effective | undefined {
  try {
    return JSON.parse(out) as Effective;
  } catch {
    return undefined; // it said something else
  }
}

/** The variables in the line of JSON by which a process refuses to start. */
function problemsOf(out: string): string[] {
  const line = out.split('\n').find((one) => one.startsWith('{') && one.includes('"problems"'));
  const { problems = [] } = JSON.parse(line ?? '{}') as { problems?: { variable: string }[] };
  return problems.map(({ variable }) => variable);
}
