import { looksLikePath } from './path.ts';
import type { Meta } from './schema.ts';
import { written } from './schema.ts';
import { maskUrl, outlineOf, secretsOfUrl } from './url.ts';

const MASK = '********';
const LONG = 60;
/** Shorter ones are words that stand in ordinary text as well. */
const SHORTEST_SECRET = 8;

/** A value in force as it may be printed. */
export function masked(meta: Meta, value: unknown): unknown {
  if (meta.secret) return value === '' ? '' : MASK;
  if (meta.url && typeof value === 'string') return maskUrl(value);
  if (Array.isArray(value)) return value.map((item: unknown) => masked({}, item));
  return typeof value === 'string' ? withoutUsers(value) : value;
}

/** A value that was refused, on one line whatever it holds, without anything that could be a secret. */
export function shown(meta: Meta, raw: string, secrets: string[]): string {
  if (meta.secret || (meta.path && !looksLikePath(raw))) return MASK;
  return printable(without(secrets, meta.url ? outlineOf(raw) : withoutUsers(raw)));
}

/** A URL where none belongs, in a list of brokers for instance, may bring a password nevertheless. */
function withoutUsers(text: string): string {
  return text.replace(/\/\/[^/\s]*@/g, `//${MASK}@`);
}

/** What must not be printed of this variable's value. */
export function secretsIn(meta: Meta, value: unknown): string[] {
  if (meta.secret) return [written(value)].filter(Boolean);
  if (meta.path) return [written(value)].filter((text) => text && !looksLikePath(text));
  return meta.url ? secretsOfUrl(written(value)) : [];
}

/** The text without these secrets, for when one stands where it does not belong. */
export function without(secrets: string[], text: string): string {
  return secrets
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .reduce((rest, secret) => rest.replaceAll(secret, MASK), text);
}

/**
 * On one line and not long: control characters, line ends of Unicode and characters that change the direction of text
 * are written as escapes, so that no value breaks a table or plays with a terminal.
 */
export function printable(text: string): string {
  const characters = [...text];
  const short = characters.length > LONG ? characters.slice(0, LONG - 20).join('') : text;
  const escaped = short.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu,
    (character) => ESCAPES[character] ?? `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
  return characters.length > LONG ? `${escaped}… (${characters.length} characters)` : escaped;
}

const ESCAPES: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
