import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import {
  ConfigError,
  guarded,
  integer,
  notAbove,
  parseConfig,
  variablesOf,
  withoutMistakes,
} from './index.ts';

const mail = {
  MAIL_DEADLINE_MS: 8000,
  MAIL_TIMEOUT_MS: 2000,
  MAIL_ATTEMPTS: 3,
  MAIL_RETRY_BASE_MS: 100,
  MAIL_RETRY_MAX_MS: 1000,
  MAIL_RETRY_JITTER: 'full',
  MAIL_BREAKER_WINDOW_CALLS: 20,
  MAIL_BREAKER_MIN_CALLS: 5,
  MAIL_BREAKER_OPEN_MS: 5000,
  MAIL_BREAKER_PROBES: 3,
  MAIL_BREAKER_SUCCESSES: 2,
  MAIL_RECOVERY_MS: 2500,
} as const;

/** The four mistakes, in words of this spec. */
const judge: Parameters<typeof withoutMistakes>[1] = ({
  openForMs = Infinity,
  recoveryTimeMs = 0,
  successThreshold,
  jitter,
  attempts,
}) => [
  ...(openForMs < 2 * recoveryTimeMs ? [`openForMs is below 2 * recoveryTimeMs`] : []),
  ...(successThreshold === 1 ? ['one success proves nothing'] : []),
  ...(jitter === 'none' ? ['jitter is none'] : []),
  ...(attempts === Infinity ? ['no end of attempts'] : []),
];
const schema = withoutMistakes(
  z.object({
    PORT: integer('port'),
    ...guarded('MAIL', 'the mail server', mail),
    // Has no retry: nothing of it is asked about.
    ...guarded('FILES', 'the files', { FILES_TIMEOUT_MS: 100, FILES_MAX_QUEUED: 0 }),
  }),
  judge,
);

const problemsOf = (env: Record<string, string>, of = schema) => {
  try {
    parseConfig(of, { PORT: '1', ...env });
    return {};
  } catch (error) {
    const byVariable = Map.groupBy((error as ConfigError).problems, ({ variable }) => variable);
    return Object.fromEntries(
      [...byVariable].map(([variable, all]) => [variable, all.map(({ problem }) => problem).join('; ')]),
    );
  }
};

describe('the settings of a dependency', () => {
  it('are the defaults that are written down, each of them numbers or words as its policy takes them', () => {
    const config = parseConfig(schema, { PORT: '1', MAIL_ATTEMPTS: '5', MAIL_RETRY_JITTER: 'equal' });
    const jitter: 'full' | 'equal' | 'none' = config.MAIL_RETRY_JITTER;
    const attempts: number = config.MAIL_ATTEMPTS;
    expect({ jitter, attempts }).toEqual({ jitter: 'equal', attempts: 5 });
    expect(config).toMatchObject({ ...mail, MAIL_ATTEMPTS: 5, MAIL_RETRY_JITTER: 'equal' });
  });

  it('are documented with meaning, unit and default', () => {
    expect(variablesOf(schema)).toContainEqual({
      name: 'MAIL_TIMEOUT_MS',
      meaning: 'how long one attempt may take (the mail server)',
      expected: 'a whole number of ms from 1 to 60000, or with its unit as in 2s',
      unit: 'ms',
      default: 2000,
      spelled: '2000',
      isSecret: false,
    });
    expect(variablesOf(schema)[0]).not.toHaveProperty('default');
  });

  it.each([
    ['MAIL_TIMEOUT_MS', '0'],
    ['MAIL_TIMEOUT_MS', '2x'],
    ['MAIL_TIMEOUT_MS', '61s'],
    ['MAIL_ATTEMPTS', '0'],
    ['MAIL_ATTEMPTS', '11'],
    ['MAIL_ATTEMPTS', 'many'],
    ['MAIL_ATTEMPTS', '1.5'],
    ['MAIL_RETRY_JITTER', 'some'],
    ['FILES_MAX_QUEUED', '-1'],
  ])('refuse %s=%s', (variable, value) => {
    expect(problemsOf({ [variable]: value })).toEqual({
      [variable]: expect.stringMatching(/^expected [^;]*$/),
    });
  });

  it('are none that nobody knows: a slip in a name is found where it is made', () => {
    // @ts-expect-error there is no such setting
    expect(() => guarded('MAIL', 'mail', { MAIL_TIMEOUT: 5 })).toThrow(
      /MAIL_TIMEOUT\. There are .*MAIL_TIMEOUT_MS/,
    );
    // @ts-expect-error it is of another dependency
    expect(() => guarded('MAIL', 'mail', { SMTP_TIMEOUT_MS: 5 })).toThrow('SMTP_TIMEOUT_MS');
  });
});

describe('a mistake', () => {
  const tooShort = 'MAIL_BREAKER_OPEN_MS is below 2 * MAIL_RECOVERY_MS';
  const more = (than: string) => `${than}. Set it to at most ${than.split(' ').at(-1)}`;
  it.each([
    [{ MAIL_BREAKER_OPEN_MS: '4999' }, 'MAIL_BREAKER_OPEN_MS', tooShort],
    [{ MAIL_RECOVERY_MS: '2501' }, 'MAIL_BREAKER_OPEN_MS', tooShort],
    [{ MAIL_BREAKER_SUCCESSES: '1' }, 'MAIL_BREAKER_SUCCESSES', 'one success proves nothing'],
    [{ MAIL_RETRY_JITTER: 'none' }, 'MAIL_RETRY_JITTER', 'MAIL_RETRY_JITTER is none'],
    [{ MAIL_ATTEMPTS: 'unlimited' }, 'MAIL_ATTEMPTS', 'no end of MAIL_ATTEMPTS'],
    [
      { MAIL_BREAKER_SUCCESSES: '4' },
      'MAIL_BREAKER_SUCCESSES',
      more('MAIL_BREAKER_SUCCESSES is 4, more than MAIL_BREAKER_PROBES, 3'),
    ],
    [
      { MAIL_BREAKER_WINDOW_CALLS: '4' },
      'MAIL_BREAKER_MIN_CALLS',
      more('MAIL_BREAKER_MIN_CALLS is 5, more than MAIL_BREAKER_WINDOW_CALLS, 4'),
    ],
    [
      { MAIL_RETRY_MAX_MS: '99' },
      'MAIL_RETRY_BASE_MS',
      more('MAIL_RETRY_BASE_MS is 100, more than MAIL_RETRY_MAX_MS, 99'),
    ],
    [
      { MAIL_DEADLINE_MS: '1000' },
      'MAIL_TIMEOUT_MS',
      more('MAIL_TIMEOUT_MS is 2000, more than MAIL_DEADLINE_MS, 1000'),
    ],
  ])('is refused, and says of which variables: %j', (env, variable, problem) => {
    expect(problemsOf(env as Record<string, string>)).toEqual({ [variable]: problem });
  });

  it('is told together with all others and with variables that are bad by themselves', () => {
    const env = { PORT: 'x', MAIL_BREAKER_OPEN_MS: '1', MAIL_RETRY_JITTER: 'none', MAIL_ATTEMPTS: 'no' };
    expect(problemsOf(env)).toEqual({
      PORT: expect.stringMatching(/^expected/),
      MAIL_ATTEMPTS: expect.stringMatching(/^expected/),
      MAIL_BREAKER_OPEN_MS: tooShort,
      MAIL_RETRY_JITTER: 'MAIL_RETRY_JITTER is none',
    });
  });

  it('is none at the very border', () => {
    expect(problemsOf({ MAIL_BREAKER_OPEN_MS: '4998', MAIL_RECOVERY_MS: '2499' })).toEqual({});
    expect(problemsOf({ MAIL_BREAKER_PROBES: '2', MAIL_RETRY_MAX_MS: '100' })).toEqual({});
  });

  it('would pass with a judge who has nothing to say', () => {
    const lenient = withoutMistakes(z.object(guarded('MAIL', 'the mail server', mail)), () => []);
    expect(problemsOf({ MAIL_BREAKER_OPEN_MS: '1', MAIL_ATTEMPTS: 'unlimited' }, lenient as never)).toEqual(
      {},
    );
  });
});

describe('notAbove', () => {
  const numbers = () =>
    z.object({ DRAIN_MS: integer('a drain'), DEADLINE_MS: integer('a deadline'), PORT: integer('port') });
  const ordered = notAbove(numbers(), 'DRAIN_MS', 'DEADLINE_MS');
  const tooMuch = 'DRAIN_MS is 3, more than DEADLINE_MS, 2. Set it to at most 2';

  it.each([
    [{ DRAIN_MS: '3', DEADLINE_MS: '2' }, { DRAIN_MS: tooMuch }],
    [
      { DRAIN_MS: '3', DEADLINE_MS: '2', PORT: 'x' },
      { DRAIN_MS: tooMuch, PORT: 'expected a whole number' },
    ],
    [{ DRAIN_MS: 'x', DEADLINE_MS: '2' }, { DRAIN_MS: 'expected a whole number' }],
    [{ DRAIN_MS: '2', DEADLINE_MS: '2' }, {}],
  ])('finds in %j: %j', (env, problems) => {
    expect(problemsOf(env as Record<string, string>, ordered as never)).toEqual(problems);
  });

  it('is for variables that there are', () => {
    expect(() => notAbove(numbers(), 'DRAIN_MS', 'DEDLINE_MS')).toThrow('the schema has no DEDLINE_MS');
  });
});
