import { z } from 'zod';

/**
 * Building blocks for a configuration schema. Every block takes the variable's meaning first, because a variable
 * that nobody can explain is a variable that nobody dares to change.
 */

type Bounds = { min?: number; max?: number; default?: number; unit?: string };

/** A whole number; the unit belongs into the variable's name as well (`DRAIN_MS`). */
export function integer(meaning: string, { min, max, default: fallback, unit }: Bounds = {}) {
  const limits = `a whole number${min === undefined ? '' : ` from ${min}`}${max === undefined ? '' : ` to ${max}`}`;
  const value = z
    .string()
    .regex(/^-?\d+$/, `expected ${limits}`)
    .transform(Number)
    .refine((n) => Number.isSafeInteger(n) && n >= (min ?? -Infinity) && n <= (max ?? Infinity), {
      error: `expected ${limits}`,
    });
  return withDefault(value, fallback).meta({ description: meaning, unit });
}

/** A TCP port; 0 lets the system choose a free one. */
export function port(meaning: string, fallback?: number) {
  return integer(meaning, { min: 0, max: 65535, default: fallback });
}

/** Any text that is not empty. */
export function text(meaning: string, fallback?: string) {
  return withDefault(z.string(), fallback).meta({ description: meaning });
}

/** A text that must never be printed: `maskedConfig` and every error message hide its value. */
export function secret(meaning: string, fallback?: string) {
  return withDefault(z.string(), fallback).meta({ description: meaning, secret: true });
}

/** One of the given words. */
export function oneOf<const T extends readonly [string, ...string[]]>(
  meaning: string,
  words: T,
  fallback?: T[number],
) {
  return withDefault(z.enum(words, { error: `expected one of ${words.join(', ')}` }), fallback).meta({
    description: meaning,
  });
}

/** `true` or `false`, nothing else: `FEATURE=0` must not turn a feature on. */
export function flag(meaning: string, fallback?: boolean) {
  const value = z.enum(['true', 'false'], { error: 'expected true or false' }).transform((v) => v === 'true');
  return withDefault(value, fallback).meta({ description: meaning });
}

/** A comma-separated list with at least one item. */
export function list(meaning: string, fallback?: string[]) {
  const value = z.string().transform((v) => v.split(',').map((item) => item.trim()));
  return withDefault(
    value.refine((items) => items.every(Boolean), { error: 'expected items separated by commas' }),
    fallback,
  ).meta({ description: meaning });
}

/** A URL whose scheme is one of `schemes`. It may hold a password, so it is masked like a secret when it does. */
export function url(meaning: string, schemes: string[], fallback?: string) {
  const expected = `expected a URL like ${schemes[0]}://host`;
  const value = z
    .string()
    .refine((v) => URL.canParse(v) && schemes.includes(new URL(v).protocol.slice(0, -1)), {
      error: expected,
    });
  return withDefault(value, fallback).meta({ description: meaning, url: true });
}

function withDefault<T>(
  value: z.ZodType<T, string>,
  fallback: T | undefined,
): z.ZodType<T, string | undefined> {
  if (fallback === undefined) return value;
  return value
    .optional()
    .transform((v) => v ?? fallback)
    .meta({ default: fallback });
}
