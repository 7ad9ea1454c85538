import { z } from 'zod';
import type { Meta } from './schema.ts';

/** What `read` answers to a value that it does not take. Neither text may contain the value: it could be a secret. */
export class Refusal {
  /** What to write instead, as an imperative. */
  readonly fix: string | undefined;
  constructor(fix?: string) {
    this.fix = fix;
  }
}

export type Block<T> = z.ZodType<T, string | undefined>;

/**
 * A block of your own: what `read` makes of the text. A fallback is taken as it is when the variable is not set.
 *
 * @param meta.expected what the value must look like, as a noun; it is what the table of problems says
 */
export function block<T>(meta: Meta & { expected: string }, read: (raw: string) => T | Refusal): Block<T> {
  const value = z.string().transform((raw, context): T => {
    const result = read(raw);
    if (!(result instanceof Refusal)) return result;
    context.addIssue({ code: 'custom', message: `expected ${meta.expected}`, params: { fix: result.fix } });
    return z.NEVER;
  });
  // Once more on the outside: a schema around it has metadata of its own.
  if (meta.default === undefined) return value.meta(meta) as Block<T>;
  return value
    .optional()
    .transform((v) => v ?? (meta.default as T))
    .meta(meta);
}

/** A fallback by itself, or what stands in for the variable when it is not set. */
export type Fallback<T> =
  | T
  | {
      default?: T;
      /** Taken when DEPLOYMENT_ENVIRONMENT is development, and refused when it is production. */
      development?: T;
    };

export function fallbacksOf<T extends string | string[]>(
  fallback: Fallback<T> = {},
): { default?: T; development?: T } {
  if (typeof fallback === 'string' || Array.isArray(fallback)) return { default: fallback as T };
  const { default: always, development } = fallback as { default?: T; development?: T };
  return {
    ...(always !== undefined && { default: always }),
    ...(development !== undefined && { development }),
  };
}
