import { z } from 'zod';
import { block, Refusal } from './block.ts';
import { duration } from './units.ts';
import { integer, oneOf, wholeNumber, within } from './variables.ts';

/**
 * What may be set of the policies that guard a call to another system. A variable is called by the dependency and one of
 * these: `MAIL_TIMEOUT_MS`. Which policies there are, and their defaults, is for each dependency to say.
 */
const SETTINGS = {
  DEADLINE_MS: ms('how long a call may take, its retries and waits included', 1, 120_000),
  TIMEOUT_MS: ms('how long one attempt may take', 1, 60_000),
  ATTEMPTS: attempts,
  RETRY_BASE_MS: ms('upper bound of the wait before the first retry; doubles from retry to retry', 1, 60_000),
  RETRY_MAX_MS: ms('upper bound of any wait before a retry', 1, 60_000),
  RETRY_JITTER: (of: string, fallback: string) =>
    oneOf(`how much of a wait is left to chance (${of})`, ['full', 'equal', 'none'], fallback as 'full'),
  BREAKER_WINDOW_CALLS: count('how many of the latest calls the circuit breaker judges by', 1, 100_000),
  BREAKER_FAILURE_PERCENT: count('share of failures in them that opens the circuit, in %', 1, 100),
  BREAKER_MIN_CALLS: count('calls that it must have seen before it judges', 1, 100_000),
  BREAKER_OPEN_MS: ms('how long the circuit stays open, at least twice the recovery time', 1, 3_600_000),
  BREAKER_PROBES: count('calls that may try out whether it is back', 1, 100),
  BREAKER_SUCCESSES: count('successes among them that close the circuit', 1, 100),
  RECOVERY_MS: ms('how long it usually takes to come back once it was down', 1, 3_600_000),
  MAX_CONCURRENT: count('calls at a time', 1, 10_000),
  MAX_QUEUED: count('calls that may wait for one of these places', 0, 100_000),
};

type Setting = keyof typeof SETTINGS;
type ValueOf<S> = S extends `${string}RETRY_JITTER` ? 'full' | 'equal' | 'none' : number;
type Defaults<P extends string> = { [S in Setting as `${P}_${S}`]?: ValueOf<S> };

/** The settings that mistakes are made with, as their judge takes them; one that is left out is not judged. */
export type Policies = {
  recoveryTimeMs?: number | undefined;
  openForMs?: number | undefined;
  successThreshold?: number | undefined;
  jitter?: 'full' | 'equal' | 'none' | undefined;
  attempts?: number | undefined;
};

const VARIABLES: Record<keyof Policies, Setting> = {
  recoveryTimeMs: 'RECOVERY_MS',
  openForMs: 'BREAKER_OPEN_MS',
  successThreshold: 'BREAKER_SUCCESSES',
  jitter: 'RETRY_JITTER',
  attempts: 'ATTEMPTS',
};

/**
 * The variables of the policies around one dependency, to be spread into a schema. They are written out with their
 * defaults, so that a search for a variable finds where it is defined.
 *
 * @throws RangeError when a name is not the prefix and a known setting
 */
export function guarded<const P extends string, const D extends Defaults<P>>(
  prefix: P,
  dependency: string,
  defaults: D & { [K in Exclude<keyof D, keyof Defaults<P>>]: never },
): { [K in keyof D]: z.ZodType<ValueOf<K>, string | undefined> } {
  const variables = Object.entries(defaults).map(([name, fallback]) => {
    const setting = name.slice(prefix.length + 1) as Setting;
    if (name !== `${prefix}_${setting}` || !Object.hasOwn(SETTINGS, setting)) {
      const known = Object.keys(SETTINGS).map((known) => `${prefix}_${known}`);
      throw new RangeError(`no setting of ${dependency}: ${name}. There are ${known.join(', ')}`);
    }
    return [name, SETTINGS[setting](dependency, fallback as never)] as const;
  });
  return Object.fromEntries(variables) as never;
}

type Refinement = { issues: { path?: PropertyKey[] }[]; addIssue: (issue: object) => void };

/**
 * The schema, which now also refuses policies that each look right and are wrong together. `judge` says what is wrong
 * with them, in a sentence each; where it names one of its fields, the variable's name is put.
 */
export function withoutMistakes<S extends z.ZodObject>(
  schema: S,
  judge: (policies: Policies) => string[],
): S {
  const names = Object.keys(schema.shape);
  const prefixes = new Set(
    names.flatMap((name) => /^(.+)_(?:ATTEMPTS|BREAKER_OPEN_MS)$/.exec(name)?.[1] ?? []),
  );
  const refuse = (config: Record<string, unknown>, { issues, addIssue }: Refinement) => {
    // What is bad by itself is told already.
    const bad = new Set(issues.map(({ path }) => path?.[0]));
    const good = Object.fromEntries(Object.entries(config).filter(([name]) => !bad.has(name)));
    for (const prefix of prefixes)
      for (const { variable, problem } of mistakesOf(prefix, good, judge))
        addIssue({ code: 'custom', path: [variable], message: problem, input: config[variable] });
  };
  // Also when other variables are bad: a deployment is repaired in one round.
  return schema.superRefine(refuse as never, { when: () => true });
}

function mistakesOf(prefix: string, config: Record<string, unknown>, judge: (p: Policies) => string[]) {
  const mistakes: { variable: string; problem: string }[] = [];
  const nameOf = (setting: Setting) => `${prefix}_${setting}`;
  const valueOf = (setting: Setting) => config[nameOf(setting)];
  const variables = Object.entries(VARIABLES) as [keyof Policies, Setting][];

  /** One mistake at a time, so that it is known which variable it is about. */
  const ask = (setting: Setting, ...fields: (keyof Policies)[]) => {
    const policies = Object.fromEntries(fields.map((field) => [field, valueOf(VARIABLES[field])]));
    if (Object.values(policies).includes(undefined)) return;
    for (const mistake of judge(policies)) {
      const problem = variables.reduce(
        (text, [field, of]) => text.replaceAll(new RegExp(`\\b${field}\\b`, 'g'), nameOf(of)),
        mistake,
      );
      mistakes.push({ variable: nameOf(setting), problem });
    }
  };
  const atMost = (setting: Setting, other: Setting) => {
    const [value, limit] = [Number(valueOf(setting)), Number(valueOf(other))];
    if (!(value > limit)) return;
    const problem = `${nameOf(setting)} is ${value}, more than ${nameOf(other)}, ${limit}. Set it to at most ${limit}`;
    mistakes.push({ variable: nameOf(setting), problem });
  };

  ask('BREAKER_OPEN_MS', 'openForMs', 'recoveryTimeMs');
  ask('BREAKER_SUCCESSES', 'successThreshold');
  ask('RETRY_JITTER', 'jitter');
  ask('ATTEMPTS', 'attempts');
  atMost('BREAKER_SUCCESSES', 'BREAKER_PROBES');
  atMost('BREAKER_MIN_CALLS', 'BREAKER_WINDOW_CALLS');
  atMost('RETRY_BASE_MS', 'RETRY_MAX_MS');
  atMost('TIMEOUT_MS', 'DEADLINE_MS');
  return mistakes;
}

function ms(meaning: string, min: number, max: number) {
  return (of: string, fallback: number) =>
    duration(`${meaning} (${of})`, { unit: 'ms', min, max, default: fallback });
}

function count(meaning: string, min: number, max: number) {
  return (of: string, fallback: number) => integer(`${meaning} (${of})`, { min, max, default: fallback });
}

const MOST_ATTEMPTS = 10;

/** `unlimited` is understood, so that it can be refused with the reason and not as a slip of the pen. */
function attempts(of: string, fallback: number) {
  const description = `calls in all before it gives up (${of})`;
  const expected = `a whole number from 1 to ${MOST_ATTEMPTS}`;
  return block({ description, expected, default: fallback }, (raw) => {
    if (raw === 'unlimited') return Infinity;
    const value = wholeNumber(raw);
    return value !== undefined && within(value, 1, MOST_ATTEMPTS) ? value : new Refusal();
  });
}
