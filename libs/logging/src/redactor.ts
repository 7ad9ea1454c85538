import { createNames } from './names.ts';
import { hidePatterns, REDACTED, SIGNS } from './patterns.ts';
import { plain, UNLIMITED, type Name } from './plain.ts';

export type RedactorOptions = {
  /**
   * Values that must never be seen, as the process knows them from its configuration; found as they are, URL-encoded,
   * in JSON and in base64. Of a URL, its password too. Shorter ones than 6 characters are in too many words to be
   * found by their value; their fields are hidden by name.
   */
  secrets?: readonly string[];
  /** Names of fields to hide besides the built-in ones. Case, `-` and `_` do not count. */
  names?: readonly string[];
};

/** Takes secrets out of what leaves the process: log lines, spans, dead letters, problems. */
export type Redactor = {
  /** The text without what looks like a secret. */
  text(text: string): string;
  /** A copy as plain data without secrets, by the names of fields at any depth and by what is in any text. */
  value<T>(value: T): T;
  /** How the name of a field is written, and whether its value is hidden. */
  name(name: string): Name;
};

const SHORTEST = 6;
/** Characters of a name. */
const LONGEST = 256;
/** Names are few and come again and again: this many are judged once. */
const REMEMBERED = 1000;

/** @throws TypeError when a secret is no string. */
export function createRedactor({ secrets = [], names = [] }: RedactorOptions = {}): Redactor {
  const wrong = secrets.findIndex((secret) => typeof secret !== 'string');
  if (wrong >= 0) throw new TypeError(`secrets[${wrong}] must be a string, got ${typeof secrets[wrong]}`);
  const hides = createNames(names);
  const forms = formsOf(secrets);
  const exact = new RegExp(forms.map(escaped).join('|') || '$.', 'g');
  const exactSign = new RegExp(forms.map(signOf).join('|') || '$.');
  const signs = new RegExp([...forms.map(signOf), SIGNS].join('|'));
  const text = (given: string) => {
    if (!signs.test(given)) return given;
    return hidePatterns(exactSign.test(given) ? given.replace(exact, REDACTED) : given, isHidden);
  };
  const isHidden = (given: string) => name(given).hidden;
  const name = remembering((given) => ({ shown: text(given.slice(0, LONGEST)), hidden: hides(given) }));
  return { text, name, value: <T>(value: T) => plain(value, { text, name, limits: UNLIMITED }) as T };
}

const defaults = createRedactor();

/** Whether a text is, or holds, what looks like a secret. */
export function isSensitive(text: string): boolean {
  return defaults.text(text) !== text;
}

function remembering(judge: (name: string) => Name): (name: string) => Name {
  const known = new Map<string, Name>();
  return (name) => {
    const before = known.get(name);
    if (before) return before;
    const judged = judge(name);
    if (known.size >= REMEMBERED) known.clear();
    if (name.length <= LONGEST) known.set(name, judged);
    return judged;
  };
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);
}

const FREQUENT = 'zqjxkvbywgpfmucdlhrsnioate';

/** A pattern for this very text that begins at its rarest character, so that it hardly ever begins in vain. */
function signOf(text: string): string {
  const frequencies = Array.from({ length: text.length }, (_, i) => FREQUENT.indexOf(text[i]!));
  const at = frequencies.indexOf(Math.min(...frequencies));
  return `${escaped(text[at]!)}(?<=${escaped(text.slice(0, at + 1))})${escaped(text.slice(at + 1))}`;
}

/** Every form in which a secret may turn up; the longest first, so that none leaves a rest of another. */
function formsOf(secrets: readonly string[]): string[] {
  const all = secrets.flatMap((secret) => [secret, ...passwordOf(secret)]);
  const forms = all.filter((secret) => secret.length >= SHORTEST).flatMap((secret) => encodingsOf(secret));
  return [...new Set(forms)].sort((a, b) => b.length - a.length);
}

function encodingsOf(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const url = encodeURIComponent(secret.toWellFormed());
  return [
    secret,
    json,
    JSON.stringify(json).slice(1, -1),
    url,
    url.replaceAll('%20', '+'),
    ...base64FormsOf(secret),
  ];
}

/** Base64 shifts with what stands before it: of each of the three shifts, the characters that only the secret decides. */
function base64FormsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].flatMap((before) => {
    const all = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const from = [0, 2, 3][before]!;
    const to = Math.floor(((before + bytes.length) * 8) / 6);
    const core = all.slice(from, to);
    return core.length < 8 ? [] : [core, core.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

/** The password in a URL, unless it says no more than the rest of it. */
function passwordOf(secret: string): string[] {
  if (!URL.canParse(secret)) return [];
  const { username, password, hostname, pathname } = new URL(secret);
  const isWord = [username, hostname, pathname.slice(1)].includes(password);
  if (password.length < 8 || isWord) return [];
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password]; // a lone % is no encoding
  }
}
