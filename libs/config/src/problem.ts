import { aligned, wrapped } from './table.ts';

const WIDTH = 40;

/** One variable that is wrong. No part of it holds a secret, and each is one line whatever the environment holds. */
export type Problem = {
  variable: string;
  /** Where the value came from: `environment`, `file /run/secrets/key`, `default`, `not set`. */
  source: string;
  /** What is wrong, in a sentence. */
  problem: string;
  expected: string;
  got: string;
  fix: string;
  meaning: string;
};

/** A variable that is set and that nobody reads. Its value is not told: it may be a secret under a wrong name. */
export type Warning = { variable: string; suggestion?: string };

/** Every problem of the environment at once, so that a deployment is repaired in one round and not in five. */
export class ConfigError extends Error {
  readonly problems: Problem[];
  readonly warnings: Warning[];
  constructor(problems: Problem[], warnings: Warning[] = []) {
    super(tableOf(problems, warnings));
    this.name = 'ConfigError';
    this.problems = problems;
    this.warnings = warnings;
  }
}

/** For a reader: one row a problem, and what else is noticed below. Our words are wrapped, values never. */
function tableOf(problems: Problem[], warnings: Warning[]): string {
  const heads = {
    variable: 'variable',
    source: 'from',
    expected: 'expected',
    got: 'got',
    fix: 'how to fix it',
  };
  const rows = [heads, ...problems].flatMap(({ variable, source, expected, got, fix }) => {
    const [wanted, remedy] = [wrapped(expected, WIDTH), wrapped(fix, WIDTH)];
    const height = Math.max(wanted.length, remedy.length);
    return Array.from({ length: height }, (_, i) => [
      ...(i === 0 ? [variable, source] : ['', '']),
      wanted[i] ?? '',
      i === 0 ? got : '',
      remedy[i] ?? '',
    ]);
  });
  const notes = warnings.map(sentenceOf).join('\n');
  return `${countOf(problems)}:\n\n${aligned(rows)}${notes && `\n${notes}\n`}`.trimEnd();
}

export function sentenceOf({ variable, suggestion }: Warning): string {
  return suggestion === undefined
    ? `${variable} is set, and nothing reads it.`
    : `${variable} is set: did you mean ${suggestion}?`;
}

type LineOptions = { service?: string | undefined; now?: Date };

/** For a machine: all problems as one line of a JSON log. */
export function lineOfProblems(error: ConfigError, options: LineOptions = {}): string {
  const { problems, warnings } = error;
  const told = problems.map(({ variable, source, expected, got, fix }) => ({
    variable,
    source,
    expected,
    got,
    fix,
  }));
  return line('fatal', 'config_invalid', options, { msg: `${countOf(problems)}.`, problems: told, warnings });
}

/** For a machine: a warning as one line of a JSON log. */
export function lineOfWarning(warning: Warning, options: LineOptions = {}): string {
  return line('warn', 'config_unknown_variable', options, { msg: sentenceOf(warning), ...warning });
}

function line(
  severity: string,
  event: string,
  { service, now = new Date() }: LineOptions,
  rest: object,
): string {
  const time = now.toISOString();
  return JSON.stringify({ severity, time, ...(service && { 'service.name': service }), event, ...rest });
}

function countOf({ length }: Problem[]): string {
  return `The environment has ${length} problem${length === 1 ? '' : 's'}`;
}
