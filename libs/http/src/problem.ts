import { STATUS_CODES } from 'node:http';
import { isAway } from './unavailable.ts';

/** What kind of trouble an error is; the one place that maps it to a status is `statusOf`. */
export type Kind =
  'invalid' | 'unauthenticated' | 'forbidden' | 'not_found' | 'conflict' | 'unprocessable' | 'unavailable';

/** An error that a caller may see: any `Error` with a stable code and a kind. Domain code needs no import for it. */
export type AppError = Error & {
  code: string;
  kind: Kind;
  details?: Record<string, unknown>;
  /** Seconds after which the same request may fare better, for the header `Retry-After`. Default: none but for a 503. */
  retryAfterS?: number;
};

/** Problem details, RFC 9457. `code` is the stable name to program against. */
export type Problem = {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  instance?: string;
  [extension: string]: unknown;
};

const STATUS: Record<Kind, { status: number; title: string }> = {
  invalid: { status: 400, title: 'Bad Request' },
  unauthenticated: { status: 401, title: 'Unauthorized' },
  forbidden: { status: 403, title: 'Forbidden' },
  not_found: { status: 404, title: 'Not Found' },
  conflict: { status: 409, title: 'Conflict' },
  unprocessable: { status: 422, title: 'Unprocessable Content' },
  unavailable: { status: 503, title: 'Service Unavailable' },
};

export function statusOf(kind: Kind): number {
  return STATUS[kind].status;
}

/** Seconds after which a caller may ask again when something that we stand on is away. */
export const RETRY_AFTER_S = 5;

/** Seconds for the header `Retry-After` (RFC 9110, section 10.2.3); undefined when asking again makes no sense. */
export function retryAfterOf(error: unknown, status: number): number | undefined {
  if (isAppError(error) && error.retryAfterS !== undefined) return error.retryAfterS;
  return status === 503 ? RETRY_AFTER_S : undefined;
}

/**
 * The problem a caller sees for an error. Whatever is not an `AppError` tells nothing but its status: a message may hold
 * a host, a query, a secret, or a piece of the request.
 */
export function problemOf(error: unknown, instance?: string): Problem {
  if (isAppError(error)) {
    const { status, title } = STATUS[error.kind];
    return problem(status, title, error.code, error.message, instance, error.details);
  }
  const status = httpStatusOf(error);
  if (status !== undefined && status < 500) {
    const code = status === 404 ? 'route_not_found' : 'bad_request';
    return problem(status, 'Request refused', code, refusalOf(error, status), instance);
  }
  if (isAway(error)) {
    const detail = 'Something that this service stands on is away. Send the request again after Retry-After.';
    return problem(503, 'Service Unavailable', 'dependency_unavailable', detail, instance);
  }
  const detail =
    'Something went wrong on our side. The correlation id in X-Correlation-ID finds it in our logs.';
  return problem(500, 'Internal Server Error', 'internal_error', detail, instance);
}

/** A problem whose every text went through `redact`, the names of its extensions aside. */
export function redactedProblem(problem: Problem, redact: (text: string) => string): Problem {
  return deeply(problem, redact) as Problem;
}

function deeply(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => deeply(item, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, deeply(item, redact)]));
}

/** What an `instance` is made of: the route that answered, its parameters and the path as it was asked for. */
export type Asked = { url: string; route?: string | undefined };

const ID = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{1,12})$/i;

/**
 * The path of a request without what a caller may have put there by mistake: no query, of the parameters only those
 * that look like ids, and nothing at all of a path that we do not have.
 */
export function instanceOf({ url, route }: Asked): string | undefined {
  if (route === undefined) return undefined;
  const given = url.split(/[?#]/, 1)[0]!.split('/');
  const steps = route
    .split('/')
    .map((step, i) => (step.startsWith(':') && ID.test(given[i] ?? '') ? given[i] : step));
  return steps.join('/');
}

const REFUSALS: Record<number, string> = {
  400: 'The request cannot be read: its path, its headers or its body are not well formed.',
  404: 'There is no such path.',
  408: 'The request took too long to arrive.',
  413: 'The body is too large.',
  415: 'This content type is not understood; send application/json.',
};

/** Our own words: the framework's repeat the path, or the piece of a body that is no JSON. */
function refusalOf(error: unknown, status: number): string {
  const { code } = error as { code?: unknown };
  if (code === 'FST_ERR_CTP_EMPTY_JSON_BODY') return 'The body is empty, though its content type is JSON.';
  if (error instanceof SyntaxError || code === 'FST_ERR_CTP_INVALID_JSON_BODY')
    return 'The body is not valid JSON.';
  return REFUSALS[status] ?? `${STATUS_CODES[status] ?? 'Request refused'}.`;
}

function problem(
  status: number,
  title: string,
  code: string,
  detail: string,
  instance?: string,
  details?: Record<string, unknown>,
): Problem {
  return {
    type: `urn:cairn:problem:${code}`,
    title,
    status,
    code,
    detail,
    ...(instance && { instance }),
    ...details,
  };
}

function isAppError(error: unknown): error is AppError {
  if (!(error instanceof Error)) return false;
  const { code, kind } = error as Partial<AppError>;
  return typeof code === 'string' && typeof kind === 'string' && Object.hasOwn(STATUS, kind);
}

/** Nest's `HttpException` has `getStatus()`, Fastify's own errors have `statusCode`. */
function httpStatusOf(error: unknown): number | undefined {
  const e = error as { getStatus?: () => number; statusCode?: number } | null;
  const status = e?.getStatus?.() ?? e?.statusCode;
  return typeof status === 'number' && status >= 400 ? status : undefined;
}
