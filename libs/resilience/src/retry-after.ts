/** Errors wrap errors; only those in a circle are wrapped deeper than this. */
const MAX_CAUSES = 8;

/** The three forms that RFC 9110, section 5.6.7, wants read. `Date.parse` would take "1" and "May" for dates, too. */
const HTTP_DATES = [
  /^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^\w{6,9}, \d{2}-\w{3}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^\w{3} \w{3} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];

/**
 * What a `Retry-After` header asks for, in ms from now: seconds, or a date (RFC 9110, section 10.2.3). 0 when the date
 * has passed; undefined for whatever is neither.
 *
 * @param nowWallMs the wall clock, since that is what a date is written in; default `Date.now()`
 */
export function parseRetryAfter(
  value: string | number | null | undefined,
  nowWallMs: number = Date.now(),
): number | undefined {
  if (typeof value === 'number') return value >= 0 && Number.isFinite(value) ? value * 1_000 : undefined;
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  // Whole seconds by the RFC, but there are servers that send "0.5", and it can mean nothing else.
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1_000;
  if (!HTTP_DATES.some((form) => form.test(text))) return undefined;
  const at = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowWallMs);
}

/**
 * How long an error asks to wait, in ms: its `retryAfterMs`, or the `Retry-After` header in its `headers` or
 * `response.headers` (a `Headers` or a plain record), or the same of its cause, and so on. The nearest one counts.
 */
export function readRetryAfter(error: unknown): number | undefined {
  for (let depth = 0; depth <= MAX_CAUSES && isObject(error); depth++) {
    const { retryAfterMs, headers, response, cause } = error;
    if (typeof retryAfterMs === 'number' && retryAfterMs >= 0) return retryAfterMs;
    const asked = fromHeaders(headers) ?? (isObject(response) ? fromHeaders(response.headers) : undefined);
    if (asked !== undefined) return asked;
    error = cause;
  }
  return undefined;
}

function fromHeaders(headers: unknown): number | undefined {
  if (!isObject(headers)) return undefined;
  if (typeof headers.get === 'function') return parseRetryAfter(headers.get('retry-after'));
  const name = Object.keys(headers).find((key) => key.toLowerCase() === 'retry-after');
  return name === undefined ? undefined : parseRetryAfter(headers[name] as string);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
