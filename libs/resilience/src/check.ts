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
