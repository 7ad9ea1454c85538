/** A value as an error message shows it: strings in quotes, so that `"5"` and `5` can be told apart. */
export function quote(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

/**
 * Refuses a bad option where it is given, not where it would hurt.
 *
 * @throws RangeError such as `rate must be in (0, 1], got 3`
 */
export function check(ok: boolean, name: string, accepted: string, value: unknown): asserts ok {
  if (!ok) throw new RangeError(`${name} must be ${accepted}, got ${quote(value)}`);
}

/** Neither NaN nor infinite nor anything else that only looks like a number. */
export function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** A whole number from `min` to `max`. */
export function checkWhole(value: number, name: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
  const range = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`;
  check(Number.isInteger(value) && value >= min && value <= max, name, `a whole number ${range}`, value);
  return value;
}

/** A share of something, above 0 and at most 1. */
export function checkRate(value: number, name: string): number {
  check(isFiniteNumber(value) && value > 0 && value <= 1, name, 'in (0, 1]', value);
  return value;
}
