import { parseArgs } from 'node:util';
import type { Ground } from '../faults/faults.ts';
import { UsageError } from '../kind.ts';

export const SOAK_USAGE =
  '[--quick] [--seconds <n>] [--orders <n>] [--faults <n>] [--settle <s>] [--seed <n>] [--without <idempotency-key|payment-key>]';

/** What can be left out, to see that the audit notices. */
export const CONTROLS = ['idempotency-key', 'payment-key'] as const;
export type Control = (typeof CONTROLS)[number];

export type SoakSettings = {
  /** How long orders come and things break. */
  seconds: number;
  orders: number;
  faults: number;
  seed: number;
  /** How long everything may take to settle once nothing is broken any more, in s. */
  settle: number;
  without?: Control;
};

/** @throws UsageError for what is not a number or not known */
export function soakSettingsOf(args: string[], random = Math.random): SoakSettings {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args,
    options: {
      ...{
        quick: { type: 'boolean' },
        seconds: text,
        orders: text,
        faults: text,
        settle: text,
        seed: text,
        without: text,
      },
    },
  });
  const number = (name: 'seconds' | 'orders' | 'faults' | 'settle' | 'seed', fallback: number) => {
    const value = Number(values[name] ?? fallback);
    if (!Number.isInteger(value) || value < 1)
      throw new UsageError(`--${name} must be a whole number above 0`);
    return value;
  };
  const without = CONTROLS.find((control) => control === values.without);
  if (values.without !== undefined && without === undefined)
    throw new UsageError(`--without must be one of ${CONTROLS.join(', ')}`);
  const seconds = number('seconds', values.quick ? 12 : 120);
  return {
    seconds,
    orders: number('orders', Math.max(1, Math.round((seconds * 50) / 3))),
    faults: number('faults', Math.max(1, Math.round(seconds / (values.quick ? 3 : 5)))),
    settle: number('settle', 30),
    seed: number('seed', Math.trunc(random() * 1e9) + 1),
    ...(without && { without }),
  };
}

/** The line that does the same again. */
export function commandOf({ without, ...numbers }: SoakSettings): string {
  const given = Object.entries(numbers).map(([name, value]) => ` --${name} ${value}`);
  return `npm run chaos -- soak${given.join('')}${without ? ` --without ${without}` : ''}`;
}

/** What runs, and what each is attached to. Two replicas of those that share work out between them. */
const ATTACHED: Record<string, string[]> = {
  orders: ['postgres', 'redis', 'kafka'],
  'orders-2': ['postgres', 'redis', 'kafka'],
  payments: ['postgres', 'kafka', 'gateway'],
  'payments-2': ['postgres', 'kafka', 'gateway'],
  notifications: ['postgres', 'kafka', 'smtp'],
  worker: ['kafka', 's3'],
  scheduler: ['postgres', 'kafka'],
  'scheduler-2': ['postgres', 'kafka'],
};
export const PROCESSES = Object.keys(ATTACHED);
export const GROUND: Ground = {
  replicas: PROCESSES,
  links: Object.entries(ATTACHED).flatMap(([app, engines]) => engines.map((engine) => `${app}→${engine}`)),
};

/**
 * A minute's patience would outlast the run, so jobs come often. Orders expire after more than the clocks are off: only a
 * replica whose clock is 5 minutes ahead cancels an order that waits, and its late payment is given back.
 */
const ENVIRONMENT: Record<string, Record<string, string>> = {
  orders: { ORDER_EXPIRES_AFTER_S: '330' },
  payments: { RECONCILE_AFTER_S: '10' },
  scheduler: { RECONCILE_PAYMENTS: '*/10 * * * * *' },
};
/** Nobody looks at traces here, and everything shares a few processors. */
const EVERY = { OTEL_SDK_DISABLED: 'true' };

/** The variables of one process, by its name. */
export const soakEnvironment = (process: string) => ({
  ...EVERY,
  ...ENVIRONMENT[process.replace(/-\d+$/, '')],
});
