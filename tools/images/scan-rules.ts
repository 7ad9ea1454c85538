/** Something in an image that belongs to an environment, or to nobody but its owner. `quote` never shows a secret as a whole. */
export type Found = { rule: Rule; quote: string };
export type Rule = 'env file' | 'key file' | 'secret' | 'host' | 'machine code';

/** Whose layer a file is in: in that of the base image addresses are examples of its documentation, and machine code is due. */
export type Layer = 'base' | 'own';

export type Known = {
  /** Hosts and secrets of real deployments: none of them may be in an image, in whatever form. Default: none. */
  forbidden?: readonly string[];
};

const PATHS: [Rule, RegExp][] = [
  ['env file', /(^|\/)(\.wh\.)?(\.env(\.[\w.-]+)?|[\w-]+\.env|\.envrc)$/],
  ['env file', /(^|\/)(terraform\.tfstate|[\w.-]+\.tfvars|kubeconfig)(\.backup)?$/],
  ['key file', /(^|\/)(id_(rsa|dsa|ecdsa|ed25519)|\.netrc|\.git-credentials|\.pgpass|\.npmrc|\.pypirc)$/],
  ['key file', /(^|\/)(\.aws\/credentials|\.docker\/config\.json|\.kube\/config|\.ssh\/.+|\.git\/.+)$/],
  ['key file', /\.(key|p12|pfx|jks|keystore|ppk)$/],
];

const SECRETS = [
  // The header alone is in every TLS library.
  /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----(?:\\n|\s)+[A-Za-z0-9+/]{40}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{50,}|glpat-[\w-]{20})/g,
  /\b(?:npm_[A-Za-z0-9]{36}|pypi-[\w-]{50,})/g,
  /\bxox[abprs]-[\w-]{10,}/g,
  /\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}/g,
  /\bAIza[\w-]{35}/g,
  /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/g,
  /\b_authToken\s*=\s*[^\s$]\S*/g,
];

/** Where the name of a host begins and ends: `iface.internal` in the middle of a line of code is none. */
const BEGIN = String.raw`(?<=["'\x60@,]|//|[A-Z_]=)`;
const END = String.raw`(?=["'\x60:/,\s]|$)`;
const HOSTS = [
  new RegExp(
    `${BEGIN}[a-z0-9][a-z0-9-]*(?:\\.[a-z0-9-]+)*\\.(?:internal|intranet|corp|lan|svc|local)${END}`,
    'g',
  ),
  /\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:rds|cache|kafka|elb|es)\.(?:[a-z0-9-]+\.)?amazonaws\.com\b/g,
  // Network addresses (10.0.0.0) are in every list of private ranges.
  /(?<![\d.])(?:10\.\d{1,3}|172\.(?:1[6-9]|2\d|3[01])|192\.168)\.\d{1,3}\.(?!0\b)\d{1,3}(?![\d.])/g,
  /\b(?:postgres(?:ql)?|rediss?|kafka|smtps?|amqps?|mongodb(?:\+srv)?|mysql|s3):\/\/[\w%.~:@-]+/g,
  /\bhttps?:\/\/[a-z][a-z0-9-]*:\d+/g,
  /\b[a-z][a-z0-9+.-]*:\/\/[^\s:@/"'`<>{}$]+:[^\s:@/"'`<>{}$]+@[\w.-]+/g,
];

const LOOPBACK = /^(?:[a-z][a-z0-9+.-]*:\/\/)?(?:[^@/]*@)?(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/;

/** What looks like a find and is none, and why. */
const ALLOWED: { path: RegExp; quote: RegExp; why: string }[] = [
  {
    path: /^usr\/lib\/[^/]+\/libgnutls\.so/,
    quote: /^-----BEGIN /,
    why: 'keys by which GnuTLS tests itself when it starts; they are published with it',
  },
  {
    path: /pg-connection-string|^compiled\//,
    quote: /^postgres:\/\/base$/,
    why: 'stands in for a base where a connection string is relative',
  },
];

const ELF = '\x7fELF';
const SHOWN = 24;

/**
 * What is in a file of an image that must not be.
 *
 * @param path from the root of the image, without a leading slash
 * @param content its bytes as latin1
 */
export function judgeFile(path: string, content: string, layer: Layer, known: Known = {}): Found[] {
  const byPath = PATHS.filter(([, pattern]) => pattern.test(path)).map(([rule]) => ({ rule, quote: path }));
  const code: Found[] =
    layer === 'own' && (content.startsWith(ELF) || path.endsWith('.node'))
      ? [{ rule: 'machine code', quote: 'for one processor only, and the build is one for all' }]
      : [];
  const found = [...byPath, ...code, ...judgeText(content, layer, known)];
  return found.filter(({ quote }) => !ALLOWED.some((a) => a.path.test(path) && a.quote.test(quote)));
}

/** The same for text that is in no file, such as the image's own variables, labels and history. */
export function judgeText(given: string, layer: Layer, { forbidden = [] }: Known = {}): Found[] {
  // The bundler ends a line in the middle of a string where it gets long, and goes on in the next.
  const text = given.replaceAll('\\\n', '');
  const secrets = matches(text, SECRETS).map((secret) => ({ rule: 'secret' as const, quote: cut(secret) }));
  if (layer === 'base') return secrets;
  const hosts = matches(text, HOSTS)
    .filter((host) => !LOOPBACK.test(host))
    .map((host) => ({ rule: 'host' as const, quote: withoutPassword(host) }));
  const named = forbidden
    .filter((value) => text.includes(value))
    .map((value) => ({ rule: 'secret' as const, quote: `of a deployment: ${cut(value, 6)}` }));
  return [...secrets, ...hosts, ...named];
}

function matches(text: string, patterns: RegExp[]): string[] {
  return [...new Set(patterns.flatMap((pattern) => text.match(pattern) ?? []))];
}

const cut = (text: string, length = SHOWN) => (text.length > length ? `${text.slice(0, length)}…` : text);
const withoutPassword = (host: string) => host.replace(/(:\/\/[^:@/]*):[^@/]*@/, '$1:***@');
