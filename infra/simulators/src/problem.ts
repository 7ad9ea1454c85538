import type { z } from 'zod';

/** Every error code that the simulators answer with, its HTTP status and its title (RFC 9457). */
export const problemTable = {
  invalid_request: [400, 'The request does not fit the schema'],
  missing_idempotency_key: [400, 'The Idempotency-Key header is required'],
  unauthorized: [401, 'The API key is missing or wrong'],
  not_found: [404, 'There is no such resource'],
  charge_not_found: [404, 'There is no such charge'],
  refund_not_found: [404, 'There is no such refund'],
  trace_not_found: [404, 'There is no such trace'],
  request_in_progress: [409, 'The first request with this key is still being processed'],
  unsupported_media_type: [415, 'The request is in a format that is not understood'],
  unknown_card_token: [422, 'The card token is none of the test cards'],
  idempotency_key_reused: [422, 'The idempotency key was used with another body'],
  charge_not_refundable: [422, 'A declined charge cannot be refunded'],
  refund_exceeds_charge: [422, 'More would be refunded than was captured'],
  refund_refused: [422, 'The refund is refused (injected fault)'],
  rate_limited: [429, 'Too many requests (injected fault)'],
  internal_error: [500, 'The gateway failed'],
  failed_after_capture: [500, 'The gateway failed after the work was done (injected fault)'],
  unavailable: [503, 'The gateway is unavailable'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof problemTable;
export type FieldError = { field: string; message: string };

/** An expected failure with a stable code; everything else that is thrown is a bug and becomes `internal_error`. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly errors: FieldError[];

  constructor(code: ProblemCode, detail: string = problemTable[code][1], errors: FieldError[] = []) {
    super(detail);
    this.name = 'Problem';
    this.code = code;
    this.status = problemTable[code][0];
    this.errors = errors;
  }

  /** The `application/problem+json` body. */
  toJSON(): Record<string, unknown> {
    const { code, status, message: detail, errors } = this;
    const body = { type: `urn:cairn:simulators:${code}`, title: problemTable[code][1], status, code, detail };
    return errors.length > 0 ? { ...body, errors } : body;
  }
}

/** @throws {Problem} `invalid_request`, with one entry per field that does not fit */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.flatMap((issue): FieldError[] => {
    const path = issue.path.map(String);
    if (issue.code !== 'unrecognized_keys') {
      return [{ field: path.join('.') || '(body)', message: issue.message }];
    }
    return issue.keys.map((key) => ({ field: [...path, key].join('.'), message: 'Unknown field' }));
  });
  throw new Problem(
    'invalid_request',
    errors.map(({ field, message }) => `${field}: ${message}`).join('; '),
    errors,
  );
}
