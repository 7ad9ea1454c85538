import type { AppName } from '../../local/apps.ts';
import type { Door } from '../wire/wire-watch.ts';
import type { WireRequest } from '../wire/wire.ts';

export type CrashPoint = {
  /** `payments: charge, after`. */
  name: string;
  app: AppName;
  door: Door;
  when: 'before' | 'after';
  /** Which exchange it is, by what goes over the wire. */
  matches: (request: WireRequest) => boolean;
  /** Only an answer that brings rows is the one. Default: false. */
  withRows?: boolean;
  /** What customers do meanwhile. Default: `buy`. */
  flow?: 'buy' | 'cancel';
  /** Between the mail server's 250 and the commit that remembers it, a mail may go out once more. Default: false. */
  mayRepeatMail?: boolean;
  /** Part of the quick form. Default: false. */
  quick?: boolean;
};

type Shape = Omit<CrashPoint, 'name' | 'app' | 'when' | 'matches'>;
type Step = Shape & {
  step: string;
  is: RegExp;
  within?: RegExp;
  not?: RegExp;
  only?: 'before' | 'after';
  quick?: boolean;
};

/** What each app does between the moment that it learns of something and the moment that it is done with it. */
const STEPS: Record<AppName, Step[]> = {
  orders: [
    { step: 'order commit', door: 'postgres', is: /INSERT INTO orders\b/, quick: true },
    {
      step: 'outbox read',
      door: 'postgres',
      is: /^SELECT id, topic, key, event/,
      only: 'after',
      withRows: true,
    },
    { step: 'produce orders', door: 'kafka', is: /^Produce orders$/ },
    { step: 'outbox delete', door: 'postgres', is: /DELETE FROM outbox WHERE id/ },
    { step: 'inbox insert', door: 'postgres', is: /^INSERT INTO inbox \(/ },
    { step: 'settle commit', door: 'postgres', is: /^COMMIT$/, within: /^UPDATE orders\b/ },
    { step: 'offset commit', door: 'kafka', is: /^OffsetCommit orders$/ },
    {
      step: 'cancel commit',
      door: 'postgres',
      is: /^COMMIT$/,
      within: /^UPDATE orders\b/,
      not: /INTO inbox\b/,
      flow: 'cancel',
      only: 'after',
    },
  ],
  payments: [
    { step: 'payment insert', door: 'postgres', is: /^INSERT INTO payment \(/, only: 'after' },
    { step: 'charge', door: 'gateway', is: /^POST \/v1\/charges$/, quick: true },
    { step: 'inbox insert', door: 'postgres', is: /^INSERT INTO inbox \(/, only: 'before' },
    { step: 'settle commit', door: 'postgres', is: /^COMMIT$/, within: /^UPDATE payment\b/ },
    { step: 'produce payments', door: 'kafka', is: /^Produce payments$/, only: 'after' },
    { step: 'offset commit', door: 'kafka', is: /^OffsetCommit payments$/ },
    { step: 'refund', door: 'gateway', is: /^POST \/v1\/refunds$/, flow: 'cancel' },
  ],
  worker: [
    { step: 'S3 put', door: 's3', is: /^PUT \//, quick: true },
    { step: 'produce receipts', door: 'kafka', is: /^Produce receipts$/ },
    { step: 'offset commit', door: 'kafka', is: /^OffsetCommit worker$/, only: 'before' },
  ],
  notifications: [
    { step: 'notification insert', door: 'postgres', is: /^INSERT INTO notification\b/, only: 'after' },
    { step: 'SMTP message', door: 'smtp', is: /^message$/, quick: true },
    { step: 'settle commit', door: 'postgres', is: /^COMMIT$/, within: /^UPDATE notification\b/ },
    { step: 'offset commit', door: 'kafka', is: /^OffsetCommit notifications$/, only: 'before' },
  ],
  scheduler: [
    { step: 'job insert', door: 'postgres', is: /INSERT INTO job_run\b/, withRows: true, quick: true },
    { step: 'produce jobs', door: 'kafka', is: /^Produce jobs$/, only: 'after' },
  ],
};

/** What the mail server has said 250 to, and our database does not know yet. */
const REPEATS_MAIL = ['SMTP message, after', 'settle commit, before'];

export const CRASH_POINTS: CrashPoint[] = Object.entries(STEPS).flatMap(([app, steps]) =>
  steps.flatMap(({ step, is, within, not, only, quick, withRows, ...shape }) =>
    (['before', 'after'] as const)
      .filter((when) => (only ?? when) === when)
      .map((when) => ({
        ...shape,
        name: `${app}: ${step}, ${when}`,
        app: app as AppName,
        when,
        matches: (request: WireRequest) =>
          is.test(request.what) &&
          (!within || request.within.some((sql) => within.test(sql))) &&
          !request.within.some((sql) => not?.test(sql)),
        ...(withRows && when === 'after' && { withRows }),
        ...(app === 'notifications' && REPEATS_MAIL.includes(`${step}, ${when}`) && { mayRepeatMail: true }),
        // A crash after the deed is where the naive way goes wrong.
        ...(quick && when === 'after' && { quick }),
      })),
  ),
);
