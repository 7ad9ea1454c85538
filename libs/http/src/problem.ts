/** What kind of trouble an error is; the one place that maps it to a status is `statusOf`. */
export type Kind =
  'invalid' | 'unauthenticated' | 'forbidden' | 'not_found' | 'conflict' | 'unprocessable' | 'unavailable';

/** An error that a caller may see: any `Error` with a stable code and a kind. Domain code needs no import for it. */
export type AppError = Error & { code: string; kind: Kind; details?: Record<string, unknown> };

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

/**
 * The problem a caller sees for an error. Whatever is not an `AppError` or an error of the HTTP layer itself is a 500
 * without any detail: a message may hold a host, a query or a secret.
 */
export function problemOf(error: unknown, instance?: string): Problem {
  if (isAppError(error)) {
    const { status, title } = STATUS[error.kind];
    return problem(status, title, error.code, error.message, instance, error.details);
  }
  const status = httpStatusOf(error);
  if (status !== undefined && status < 500) {
    const code = status === 404 ? 'route_not_found' : 'bad_request';
    return problem(status, 'Request refused', code, (error as Error).message, instance);
  }
  const detail =
    'Something went wrong on our side. The correlation id in X-Correlation-ID finds it in our logs.';
  return problem(500, 'Internal Server Error', 'internal_error', detail, instance);
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
