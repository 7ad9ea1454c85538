import { block, fallbacksOf, Refusal, type Block, type Fallback } from './block.ts';

/**
 * The path of a file, from the root or from where the process runs: `/etc/tls/tls.crt`, `./tls.crt`. For what is read again
 * while the process runs; the value of a variable is better mounted as `X_FILE`.
 */
export function path(meaning: string, fallback?: Fallback<string>): Block<string> {
  const meta = { description: meaning, expected: 'the path of a file, such as /run/tls/tls.crt', path: true };
  return block({ ...meta, ...fallbacksOf(fallback) }, (raw) => {
    if (looksLikePath(raw) && !/\p{Cc}/u.test(raw)) return raw;
    return new Refusal('begin it with / or ./; what the file holds stays in it');
  });
}

/** What is no path may be the secret itself, put into the wrong variable: it is not told. */
export function looksLikePath(path: string): boolean {
  return /^(\.{0,2}\/|[a-z]:[\\/])/i.test(path);
}
