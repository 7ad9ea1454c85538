/**
 * `password=x`, `"token": "x"`, `\"token\":\"x\"`, `%26token%3Dx`, `Cookie: a=b; c=d`: a value in a text whose name says
 * that it is a secret. Found from the `=` or `:` backwards, by hand, since a pattern that begins with any name would
 * begin everywhere.
 */
const SEPARATOR = /[=:]|%3[AaDd]/g;
const LONGEST_NAME = 64;

// A value is what stands in quotes, or everything up to what ends one in a query string, a header or a sentence.
// In JSON within JSON a quote is \" and one inside of the value \\\".
const VALUE =
  /"(?:[^"\\]|\\[\s\S]){0,8192}|\\"(?:[^"\\]|\\{3}"|\\[^"]){0,8192}|\\{2,3}"[^"]{0,8192}|'[^']{0,8192}|[^\s&;,"'<>{}()[\]\\]{1,8192}/y;
const LINE = /["']?[^\r\n"'\\]{1,8192}/y;
const BLANKS = /\s{0,2}/y;
// Headers of which every word is secret, not only the next.
const WHOLE_LINE = /authorization|cookie/i;

export function hideNamedValues(
  text: string,
  isHidden: (name: string) => boolean,
  replacement: string,
): string {
  let result = '';
  let done = 0;
  SEPARATOR.lastIndex = 0;
  for (let found = SEPARATOR.exec(text); found; found = SEPARATOR.exec(text)) {
    const name = nameBefore(text, found.index);
    if (name.length < 2 || /^[\d.]+$/.test(name) || !isHidden(name)) continue;
    const from = ends(BLANKS, text, found.index + found[0].length);
    const isHeader = found[0] === ':' && WHOLE_LINE.test(name) && text[from] !== '\\';
    const to = ends(isHeader ? LINE : VALUE, text, from);
    const value = text.slice(from, to);
    if (to === from || isNothing(value)) continue;
    result += text.slice(done, from) + inQuotes(text, found.index, value, replacement);
    done = to;
    SEPARATOR.lastIndex = Math.max(to, found.index + found[0].length);
  }
  return done === 0 ? text : result + text.slice(done);
}

/** As the value was quoted, so that what was JSON still is; a value without quotes gets those of its name. */
function inQuotes(text: string, separator: number, value: string, replacement: string): string {
  const open = /^\\{0,3}["']/.exec(value)?.[0];
  if (open !== undefined) return open + replacement;
  const ofName = /\\{0,3}["'](?=\s{0,2}$)/.exec(text.slice(Math.max(0, separator - 6), separator))?.[0] ?? '';
  return ofName + replacement + ofName;
}

/** The name in front of a separator, without the quotes and blanks between them. */
function nameBefore(text: string, separator: number): string {
  let end = separator;
  while (end > 0 && separator - end < 4 && ' "\'\\'.includes(text[end - 1]!)) end--;
  let start = end;
  while (start > 0 && end - start < LONGEST_NAME && isNameCharacter(text.charCodeAt(start - 1))) start--;
  return text.slice(start, end);
}

function isNameCharacter(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 48 && code <= 57) ||
    (code >= 45 && code <= 46) || // - .
    code === 95 // _
  );
}

function ends(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : from;
}

/** Words that say that there is nothing, or nothing any more. `[Redacted]` ends in what ends a value. */
const isNothing = (value: string) => /^(?:null|true|false|undefined|["']?\[Redacted.*)$/.test(value);
