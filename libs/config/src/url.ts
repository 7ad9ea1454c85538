import { block, fallbacksOf, Refusal, type Block, type Fallback } from './block.ts';
import { isControlled } from './variables.ts';

/** What a URL must name besides its host. */
type Needs = { needs?: ('user' | 'path')[] };

const MASK = '********';
const WEB = ['http', 'https'];

/**
 * A URL with a host and one of the schemes. One of another scheme than http and https may hold a password; one of these
 * may not, since `fetch` refuses such a URL, and so does any browser.
 */
export function url(
  meaning: string,
  schemes: string[],
  fallback?: Fallback<string>,
  { needs = [] }: Needs = {},
): Block<string> {
  const credentials = schemes.some((scheme) => !WEB.includes(scheme));
  const like = `${schemes[0]}://${needs.includes('user') ? 'user:password@' : ''}host${needs.includes('path') ? '/name' : ''}`;
  const meta = {
    description: meaning,
    expected: `a URL like ${like}`,
    url: true,
    ...(credentials && { credentials }),
    ...fallbacksOf(fallback),
  };
  return block(meta, (raw) => {
    const fix = faultOf(raw, schemes, needs);
    return fix === undefined ? raw : new Refusal(fix);
  });
}

/** What to do about the URL, undefined when it is good. */
function faultOf(raw: string, schemes: string[], needs: string[]): string | undefined {
  // The parser of URLs drops line breaks without a word.
  if (isControlled(raw) || /\s/.test(raw)) return 'take out the white space';
  if (!raw.includes('://')) return `begin it with ${schemes[0]}://`;
  const parsed = URL.canParse(raw) ? new URL(raw) : undefined;
  if (!parsed) return 'percent-encode : / ? # @ in user and password, and mind the port';
  const scheme = parsed.protocol.slice(0, -1);
  if (!schemes.includes(scheme)) return `begin it with ${schemes.map((known) => `${known}://`).join(' or ')}`;
  if (!parsed.hostname) return 'name the host';
  if (WEB.includes(scheme))
    return parsed.username || parsed.password ? 'take user and password out' : undefined;
  if (tail(parsed).includes('@')) return 'percent-encode : / ? # @ in user and password';
  if (needs.includes('user') && !parsed.username) return 'name the user before the host: user:password@host';
  if (needs.includes('path') && parsed.pathname.length < 2)
    return 'name what comes after the host: host/name';
  return undefined;
}

/** The URL as it may be printed: neither password nor a user that stands for one, nor what a query calls a secret. */
export function maskUrl(raw: string): string {
  const parsed = parts(raw);
  if (!parsed) return raw && MASK;
  if (parsed.password) parsed.password = MASK;
  else if (parsed.username) parsed.username = MASK;
  for (const name of new Set(parsed.searchParams.keys()))
    if (/pass|pwd|secret|token|key|sig|auth|cred/i.test(name)) parsed.searchParams.set(name, MASK);
  const text = parsed.toString();
  // Nothing to mask: as it was written, without the slash that a parser adds.
  return text.includes(MASK) ? text : raw;
}

/** Of a URL that is refused: only what can't be a secret even when it was mistyped. */
export function outlineOf(raw: string): string {
  const parsed = parts(raw);
  if (!parsed) return `${raw.length} characters that are no URL`;
  const user = parsed.username || parsed.password ? `${MASK}@` : '';
  return `${parsed.protocol}//${user}${parsed.host}${tail(parsed).length > 1 ? '/…' : ''}`;
}

/** What must not be printed of a URL, as it is spelled and as it is meant. */
export function secretsOfUrl(raw: string): string[] {
  const parsed = URL.canParse(raw) ? new URL(raw) : undefined;
  if (!parsed) return [raw];
  const hidden = parsed.password || parsed.username;
  const inQuery = [...parsed.searchParams].filter(([name]) => maskUrl(`x://h?${name}=1`).includes(MASK));
  return [hidden, decoded(hidden), ...inQuery.map(([, value]) => value)].filter(Boolean);
}

/** Undefined for what can't be told apart: a password with a slash in it looks like a path. */
function parts(raw: string): URL | undefined {
  if (!raw.includes('://') || !URL.canParse(raw)) return undefined;
  const parsed = new URL(raw);
  return parsed.hostname && !tail(parsed).includes('@') ? parsed : undefined;
}

function tail({ pathname, search, hash }: URL): string {
  return pathname + search + hash;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone percent sign is no encoding
  }
}
