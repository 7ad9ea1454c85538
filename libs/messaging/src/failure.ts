/**
 * What a handler's failure means for the message:
 * - `transient`: something around us is away (database, gateway, broker). Wait and try again, for as long as it takes.
 * - `poison`: the message itself is wrong. No retry mends it.
 * - `unknown`: maybe a bug, maybe bad luck. Try a few times, then treat it as poison.
 */
export type Failure = 'transient' | 'poison' | 'unknown';

const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
]);

// Classes 08 (connection), 53 (resources), 57P (shutdown), the two that say "run the transaction again", and a lock that
// somebody else held for too long: https://www.postgresql.org/docs/current/errcodes-appendix.html
const SQLSTATE = /^(08...|53...|57P0.|40001|40P01|55P03)$/;

// pg gives these no code.
const PG_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

type Described = {
  transient?: unknown;
  poison?: unknown;
  code?: unknown;
  message?: unknown;
  cause?: unknown;
};

/** Looks at `poison` and `transient` first, then at codes of the network and of PostgreSQL, along the chain of causes. */
export function classify(error: unknown, depth = 0): Failure {
  if (typeof error !== 'object' || error === null || depth > 5) return 'unknown';
  const { transient, poison, code, message, cause } = error as Described;
  if (poison === true) return 'poison';
  if (transient === true) return 'transient';
  if (typeof code === 'string' && (NETWORK.has(code) || SQLSTATE.test(code))) return 'transient';
  if (typeof message === 'string' && PG_MESSAGES.test(message)) return 'transient';
  return classify(cause, depth + 1);
}

const FIRST_BACKOFF_MS = 200;

/**
 * How long a partition pauses before its message is tried again, in ms. Without a hint the pause doubles from try to
 * try. A failure that knows when asking again makes sense (an open circuit, a 429) says so in `retryAfterMs`, itself or
 * along its causes; then that is the pause, within bounds: a guess would wake up too early, or sleep on past the end.
 */
export function pauseAfter(
  error: unknown,
  tries: number,
  { maxBackoffMs, maxPauseMs }: { maxBackoffMs: number; maxPauseMs: number },
): number {
  const hint = retryAfterOf(error);
  if (hint !== undefined) return Math.ceil(Math.max(FIRST_BACKOFF_MS, Math.min(hint, maxPauseMs)));
  return Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(tries - 1, 10), maxBackoffMs);
}

function retryAfterOf(error: unknown, depth = 0): number | undefined {
  if (typeof error !== 'object' || error === null || depth > 5) return undefined;
  const { retryAfterMs, cause } = error as { retryAfterMs?: unknown; cause?: unknown };
  // Infinity is what a circuit says that was opened by hand.
  if (typeof retryAfterMs === 'number' && retryAfterMs >= 0) return retryAfterMs;
  return retryAfterOf(cause, depth + 1);
}
