/**
 * Which errors say that a database, a cache or a broker is away, as opposed to a mistake of ours. By codes where there
 * are codes, by name or text where a driver has no better.
 */

// Of the network, from Node and from undici.
const CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_SOCKET',
]);

// https://www.postgresql.org/docs/current/errcodes-appendix.html: 08 connection, 53 insufficient resources (too many
// connections, disk full), 57P operator intervention (shutting down, starting up), 55P03 a lock that somebody else held for
// too long. 57014 is a query that took too long.
const SQLSTATE = /^(?:08|53)[0-9A-Z]{3}$|^57P[0-9A-Z]{2}$|^55P03$/;

const NAMES = new Set([
  'MaxRetriesPerRequestError', // ioredis
  'CannotExecuteNotConnectedError', // TypeORM
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSNumberOfRetriesExceeded',
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
]);

// pg, pg-pool and ioredis throw plain errors for these.
const MESSAGES =
  /^(?:Connection terminated|timeout e(?:xceeded|xpired) when trying to connect|Client has encountered a connection error|Connection is closed\.|Command timed out|Stream isn't writeable|Driver not Connected)/;

/** How far causes and errors within errors are followed. */
const DEPTH = 5;

/** Whether an error, or one behind it, says that something this service stands on is away. */
export function isAway(error: unknown, depth = DEPTH): boolean {
  if (!(error instanceof Error) || depth === 0) return false;
  const { code, cause, errors } = error as Error & { code?: unknown; errors?: unknown };
  if (typeof code === 'string' && (CODES.has(code) || SQLSTATE.test(code))) return true;
  if (NAMES.has(error.name) || MESSAGES.test(error.message)) return true;
  const behind = [cause, ...(Array.isArray(errors) ? errors.slice(0, 10) : [])];
  return behind.some((other) => isAway(other, depth - 1));
}
