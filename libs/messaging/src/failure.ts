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

// Classes 08 (connection), 53 (resources), 57P (shutdown) and the two that say "run the transaction again":
// https://www.postgresql.org/docs/current/errcodes-appendix.html
const SQLSTATE = /^(08...|53...|57P0.|40001|40P01)$/;

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
