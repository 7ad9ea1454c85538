import { CARD_NUMBER_SIGN, hideCardNumbers } from './card-number.ts';
import { hideNamedValues } from './named-values.ts';

/** What stands where a secret stood. */
export const REDACTED = '[Redacted]';

type Pattern = {
  /** A text without this has nothing for `hide` to find. It begins with a rare character: most texts get no further. */
  sign: string;
  hide(text: string, isHidden: (name: string) => boolean): string;
};

/**
 * Every pattern is linear in the length of the text: quantifiers are bounded, or what they eat cannot be eaten again
 * from the next position (tested with hostile text of a megabyte).
 */
const BEARER =
  /\bBearer(?:[ \t+]|%20){1,4}(?!(?:tokens?|auth\w*|realm|scheme|headers?|missing|required)\b)[\w.~+/=%-]{6,}/gi;
const BASIC = /\b(Basic(?:[ \t+]|%20){1,4})([A-Za-z0-9+/]{8,}(?:=|%3D){0,2})/gi;
// RFC 7468; a text that was cut off has no END.
const PRIVATE_KEY =
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|$)/g;
const USER_INFO = /:\/\/[^\s/?#"'<>\\]{1,512}@/g;
const ENCODED_USER_INFO = /(%3A%2F%2F)(?:[^\s/?#"'<>\\%]|%(?!2F)[\dA-F]{2}){1,512}%40/gi;
// Keys that say by their beginning what they are: AWS, Stripe and card vaults, GitHub, GitLab, Slack, Google, npm.
const VENDOR_KEY =
  /(?<![A-Za-z0-9])(?:A(?:KIA|SIA)[A-Z0-9]{16}|(?:sk|rk|pk|tok|whsec|card)_(?:[a-z]{2,8}_)?[A-Za-z0-9]{14,}|gh[opsur]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|xox[abeprs]-[\w-]{10,}|AIza[\w-]{35}|npm_[A-Za-z0-9]{30,})/g;
const VENDOR_SIGN =
  '_(?<=(?:sk|rk|pk|tok|whsec|card|gh[opsur]|pat|npm)_)\\w{10}|IA(?<=A[KS]IA)|-(?<=glpat-|xox[abeprs]-)|za(?<=AIza)';
// V8 quotes what it could not parse: `Unexpected token 'h', "hunter2" is not valid JSON`.
const PARSED = /Unexpected token [^\n]{1,8}, (?:\.{3})?"[\s\S]{0,80}?"(?:\.{3})? is not valid JSON/g;
// What ends a line, moves a cursor or turns text round somewhere, though JSON lets it stand.
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

const PATTERNS: Pattern[] = [
  {
    sign: 'JSON(?<=is not valid JSON)',
    hide: (text) => text.replace(PARSED, 'Unexpected token … is not valid JSON'),
  },
  { sign: 'PRIVATE KEY', hide: (text) => text.replace(PRIVATE_KEY, REDACTED) },
  {
    sign: '[rR](?:[ \\t+]|%20)(?<=[Bb][Ee][Aa][Rr][Ee][rR](?:[ \\t+]|%20))',
    hide: (text) => text.replace(BEARER, `Bearer ${REDACTED}`),
  },
  {
    sign: '[cC](?:[ \\t+]|%20)(?<=[Bb][Aa][Ss][Ii][cC](?:[ \\t+]|%20))',
    hide: (text) =>
      text.replace(BASIC, (match, scheme: string, value: string) =>
        isCredentials(value) ? `${scheme}${REDACTED}` : match,
      ),
  },
  { sign: '@', hide: (text) => text.replace(USER_INFO, `://${REDACTED}@`) },
  { sign: '%40', hide: (text) => text.replace(ENCODED_USER_INFO, `$1${REDACTED}%40`) },
  {
    sign: '=|:(?<=[\\w"\'\\s]:)|%3[AaDd]',
    hide: (text, isHidden) => hideNamedValues(text, isHidden, REDACTED),
  },
  { sign: VENDOR_SIGN, hide: (text) => text.replace(VENDOR_KEY, REDACTED) },
  { sign: 'J(?<=eyJ)', hide: hideTokens },
  { sign: CARD_NUMBER_SIGN, hide: (text) => hideCardNumbers(text, REDACTED) },
  { sign: UNPRINTABLE.source, hide: printable },
];

const STEPS = PATTERNS.map(({ sign, hide }) => ({ sign: new RegExp(sign), hide }));

/** A text without any of these holds nothing that a pattern finds: the one look that every text gets. */
export const SIGNS = PATTERNS.map(({ sign }) => sign).join('|');

/** The text with what ends lines or moves cursors made visible. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Hides whatever in a text looks like a secret. */
export function hidePatterns(text: string, isHidden: (name: string) => boolean): string {
  return STEPS.reduce((now, { sign, hide }) => (sign.test(now) ? hide(now, isHidden) : now), text);
}

function isCredentials(base64: string): boolean {
  const decoded = Buffer.from(base64.replaceAll('%3D', '='), 'base64').toString('latin1');
  return /^[\x20-\x7e\xa0-\xff]*:[\x20-\x7e\xa0-\xff]*$/.test(decoded);
}

const TOKEN_PART = /[A-Za-z0-9_-]*/y;

/** JSON Web Tokens, signed or not, and encrypted ones. By hand: a pattern would look at `eyJeyJeyJ…` again and again. */
function hideTokens(text: string): string {
  let result = '';
  let done = 0;
  for (let start = text.indexOf('eyJ'); start !== -1; start = text.indexOf('eyJ', done)) {
    const lengths: number[] = [];
    let end = start;
    do {
      if (lengths.length) end++;
      TOKEN_PART.lastIndex = end;
      lengths.push(TOKEN_PART.exec(text)![0].length);
      end += lengths.at(-1)!;
    } while (lengths.length < 5 && text[end] === '.');
    const isToken = lengths.length > 1 && lengths[0]! >= 10 && lengths[1]! >= 2;
    result += text.slice(done, start) + (isToken ? REDACTED : text.slice(start, end));
    done = end;
  }
  return result + text.slice(done);
}
