import fc from 'fast-check';
import { constant } from '../backoff.ts';
import { BulkheadFullError } from '../errors.ts';
import { pipeline } from '../pipeline.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';

/** How the work of an attempt may end. */
export type WorkResult =
  | 'value'
  /** A value that `isFailureResult` calls a failure. */
  | 'bad value'
  /** A value on which `isFailureResult` throws. */
  | 'puzzling value'
  | 'failure'
  /** A failure that `retryOn` won't have repeated. */
  | 'lasting failure'
  /** Failures that ask for 300 ms, and for 60 s, of peace. */
  | 'busy'
  | 'very busy'
  /** A failure that was caused by the last one that some caller was told of. */
  | 'failure once more'
  /** A failure that some other pipeline has retried in vain. */
  | 'failure retried below'
  /** An error that `isFailure` calls none. */
  | 'no failure'
  /** An error on which `isFailure` throws. */
  | 'puzzling error'
  | 'AbortError'
  /** A rejection by some other pipeline. */
  | 'rejection';

export const anyResult: fc.Arbitrary<WorkResult> = fc.oneof(
  { weight: 4, arbitrary: fc.constant('value' as const) },
  { weight: 6, arbitrary: fc.constant('failure' as const) },
  {
    weight: 6,
    arbitrary: fc.constantFrom<WorkResult>(
      ...([
        'bad value',
        'puzzling value',
        'lasting failure',
        'busy',
        'very busy',
        'failure once more',
      ] as const),
      'failure retried below',
      ...(['no failure', 'puzzling error', 'AbortError', 'rejection'] as const),
    ),
  },
);

export const BUSY_MS = 300;
export const VERY_BUSY_MS = 60_000;

class WorkError extends Error {
  readonly kind: WorkResult;
  constructor(kind: WorkResult, message: string, options?: ErrorOptions) {
    const limit = Error.stackTraceLimit;
    // Nobody reads it, and it costs more than all the rest.
    Error.stackTraceLimit = 0;
    super(message, options);
    Error.stackTraceLimit = limit;
    this.kind = kind;
    if (kind === 'AbortError') this.name = kind;
  }
}

const kindOf = (error: unknown) => (error instanceof WorkError ? error.kind : undefined);

/** An error that was marked as retried by a pipeline of its own. */
const retriedBelow = await (async () => {
  const clock = new VirtualClock();
  const below = pipeline({ name: 'below', clock }).retry({
    attempts: 2,
    idempotent: true,
    backoff: constant(0),
  });
  const end = below.outcome(() => Promise.reject(new Error('below')));
  await clock.advance(1);
  return ((await end) as { error: unknown }).error;
})();

/** What the work of attempt `key` answers or throws. */
export function resultOf(
  kind: WorkResult,
  key: string,
  lastError: unknown,
): { value: string } | { error: unknown } {
  if (kind === 'value' || kind === 'bad value' || kind === 'puzzling value')
    return { value: `${kind} ${key}` };
  if (kind === 'rejection') return { error: new BulkheadFullError('other', 1, 0) };
  const causes: Partial<Record<WorkResult, unknown>> = {
    'failure once more': lastError,
    'failure retried below': retriedBelow,
  };
  const cause = causes[kind];
  return { error: new WorkError(kind, `${kind} ${key}`, { cause }) };
}

export function isFailure(error: unknown): boolean {
  if (kindOf(error) === 'puzzling error') throw new Error('what is this?');
  return kindOf(error) !== 'no failure';
}

export function isFailureResult(value: unknown): boolean {
  if (String(value).startsWith('puzzling')) throw new Error('what is this?');
  return String(value).startsWith('bad');
}

export function isWorthARetry(error: unknown): boolean {
  return kindOf(error) !== 'lasting failure';
}

export function retryAfter(error: unknown): number | undefined {
  if (kindOf(error) === 'busy') return BUSY_MS;
  return kindOf(error) === 'very busy' ? VERY_BUSY_MS : undefined;
}

/** An error in a few words: the code of ours with what it carries, the message of others. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, message, timeoutMs, deadlineMs, cause, value } = error as Error & Record<string, unknown>;
  if (code === undefined) return message;
  if (code === 'cancelled') return `cancelled because ${String(cause)}`;
  const detail = timeoutMs ?? deadlineMs ?? value;
  return detail === undefined ? String(code) : `${String(code)} ${String(detail)}`;
}
