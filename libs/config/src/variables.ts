import { block, fallbacksOf, Refusal, type Block, type Fallback } from './block.ts';
import { closest } from './spelling.ts';

/**
 * Building blocks for a configuration schema. Every block takes the variable's meaning first, because a variable
 * that nobody can explain is a variable that nobody dares to change.
 */

export type Bounds = { min?: number; max?: number; default?: number; unit?: string };

/** A whole number; the unit belongs into the variable's name as well. Durations and sizes have blocks of their own. */
export function integer(meaning: string, { min, max, default: fallback, unit }: Bounds = {}): Block<number> {
  const meta = {
    description: meaning,
    expected: `a whole number${bounds(min, max)}`,
    ...optional(fallback, unit),
  };
  return block(meta, (raw) => {
    const value = wholeNumber(raw);
    return value !== undefined && within(value, min, max) ? value : new Refusal();
  });
}

/** A TCP port; 0 lets the system choose a free one. */
export function port(meaning: string, fallback?: number): Block<number> {
  const meta = { description: meaning, expected: 'a port from 0 to 65535', ...optional(fallback) };
  return block(meta, (raw) => {
    // Kubernetes describes every service of the namespace to every pod, in names like ours.
    if (/^(tcp|udp|sctp):\/\//.test(raw))
      return new Refusal('Kubernetes set it for a service of that name: set enableServiceLinks: false');
    const value = wholeNumber(raw);
    return value !== undefined && within(value, 0, 65535) ? value : new Refusal();
  });
}

/** A share from 0 to 1, in decimal: `0.1` is every tenth. */
export function share(meaning: string, fallback?: number): Block<number> {
  const meta = { description: meaning, expected: 'a share from 0 to 1, such as 0.1', ...optional(fallback) };
  return block(meta, (raw) => {
    if (/^\d+(\.\d+)?%$/.test(raw)) return new Refusal('write 0.1 for 10 %');
    return /^\d+(\.\d+)?$/.test(raw) && Number(raw) <= 1 ? Number(raw) : new Refusal();
  });
}

/** Text on one line, without white space around it. */
export function text(meaning: string, fallback?: Fallback<string>): Block<string> {
  return block({ description: meaning, expected: 'text on one line', ...fallbacksOf(fallback) }, (raw) =>
    isControlled(raw) ? new Refusal('take out the line breaks and control characters') : trimmed(raw),
  );
}

/** A text that must never be printed: `maskedConfig` and every message hide its value. Lines are fine: it may be a key. */
export function secret(meaning: string, fallback?: Fallback<string>): Block<string> {
  const meta = { description: meaning, expected: 'a secret', secret: true, ...fallbacksOf(fallback) };
  return block(meta, trimmed);
}

/** One of the given words. */
export function oneOf<const T extends readonly [string, ...string[]]>(
  meaning: string,
  words: T,
  fallback?: T[number],
): Block<T[number]> {
  const meta = { description: meaning, expected: `one of ${words.join(', ')}`, ...optional(fallback) };
  return block<T[number]>(meta, (raw) => {
    if (words.includes(raw)) return raw;
    const lower = raw.trim().toLowerCase();
    const meant = words.find((word) => lower.length > 2 && word.startsWith(lower)) ?? closest(lower, words);
    return new Refusal(meant && `write ${meant}`);
  });
}

const MEANT: Record<string, boolean> = { 1: true, yes: true, y: true, on: true, t: true, true: true };
for (const no of ['0', 'no', 'n', 'off', 'f', 'false']) MEANT[no] = false;

/** `true` or `false`, nothing else: `DRY_RUN=0` must not turn anything on. */
export function flag(meaning: string, fallback?: boolean): Block<boolean> {
  const meta = { description: meaning, expected: 'true or false', ...optional(fallback) };
  return block(meta, (raw) => {
    if (raw === 'true' || raw === 'false') return raw === 'true';
    const meant = MEANT[raw.trim().toLowerCase()];
    return new Refusal(meant === undefined ? undefined : `write ${meant}`);
  });
}

type Items = {
  /** What each item is. Default: any text. */
  of?: 'host:port';
};

/** A comma-separated list with at least one item. */
export function list(meaning: string, fallback?: Fallback<string[]>, { of }: Items = {}): Block<string[]> {
  const expected = of === undefined ? 'items separated by commas' : `${of} separated by commas`;
  return block({ description: meaning, expected, ...fallbacksOf(fallback) }, (raw) => {
    const items = raw.split(',').map((item) => item.trim());
    if (isControlled(raw)) return new Refusal('take out the line breaks and control characters');
    if (items.includes('')) return new Refusal('take out the comma that has no item beside it');
    const isHost = (item: string) => /^([\w.-]+|\[[\da-f:.]+\]):\d{1,5}$/i.test(item);
    return of === undefined || items.every(isHost)
      ? items
      : new Refusal('write each as host:port, without scheme');
  });
}

/** Undefined unless it is a whole number in plain decimal that JavaScript can hold: no `1e3`, `0x10`, `+5`, ` 5`. */
export function wholeNumber(raw: string): number | undefined {
  const value = /^-?\d+$/.test(raw) ? Number(raw) : NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

export function within(value: number, min = -Infinity, max = Infinity): boolean {
  return value >= min && value <= max;
}

export function bounds(min?: number, max?: number): string {
  return `${min === undefined ? '' : ` from ${min}`}${max === undefined ? '' : ` to ${max}`}`;
}

export function optional(fallback: unknown, unit?: string): { default?: unknown; unit?: string } {
  return { ...(fallback !== undefined && { default: fallback }), ...(unit !== undefined && { unit }) };
}

/** Copied by hand, values come with the line's end; libraries then fail far from here, on a header that they refuse. */
function trimmed(raw: string): string | Refusal {
  return raw === raw.trim() ? raw : new Refusal('take out the white space around it');
}

export function isControlled(raw: string): boolean {
  return /\p{Cc}|[\u2028\u2029]/u.test(raw);
}
