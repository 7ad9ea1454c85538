import { check, isFiniteNumber } from './check.ts';

/** A length of time: a number is milliseconds; a string carries its unit (`'250ms'`, `'1.5s'`, `'2m'`, `'1h'`). */
export type Duration = number | `${number}ms` | `${number}s` | `${number}m` | `${number}h`;

/**
 * The longest delay in ms that timers of JavaScript platforms keep (24.8 days). A longer one fires at once, see
 * https://nodejs.org/api/timers.html#settimeoutcallback-delay-args.
 */
export const MAX_DURATION_MS = 2 ** 31 - 1;

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * A duration in milliseconds.
 *
 * @param name names the option in the error
 * @param options.allowZero 0 is a duration, too. Default false: a wait of nothing is nearly always a mistake.
 * @throws RangeError with the name, the value and what is accepted, unless the value is above 0 (or 0 if allowed) and
 *   at most `MAX_DURATION_MS`
 */
export function toMs(value: Duration, name: string, { allowZero = false } = {}): number {
  const ms = typeof value === 'string' ? parse(value) : value;
  const accepted = `a duration ${allowZero ? 'from' : 'above'} 0 such as 250, '250ms' or '2s'`;
  check(isFiniteNumber(ms) && (ms > 0 || (allowZero && ms === 0)), name, accepted, value);
  const limit = `at most ${MAX_DURATION_MS} ms (24.8 days), the longest timer of the platform`;
  check(ms <= MAX_DURATION_MS, name, limit, value);
  return ms;
}

/** NaN for anything else. Stricter than the type, which would let `'1e3s'` and `'-2s'` pass. */
function parse(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  return Number(amount) * UNITS[unit as keyof typeof UNITS];
}
