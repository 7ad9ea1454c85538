import { path } from './path.ts';
import type { Schema } from './schema.ts';
import { readRegularFile } from './secret.file.ts';
import { reasonOf, type ReadFile } from './sources.ts';
import { list } from './variables.ts';

/** What a process may be told of TLS, with the defaults that it gives; they are paths, for certificates are renewed under it. */
const VARIABLES = {
  TLS_CERT_PATH: (fallback: string) =>
    path('certificate that it shows to callers and to those it calls, in PEM; empty: plain HTTP', fallback),
  TLS_KEY_PATH: (fallback: string) => path('private key of the certificate', fallback),
  TLS_CA_PATH: (fallback: string) =>
    path('authorities that the certificates of both must come from, in PEM', fallback),
  TLS_ALLOWED_CLIENTS: (fallback: string[]) =>
    list(
      'DNS names or URIs, one of which the certificate of a caller must have; empty: any of the authorities',
      fallback,
    ),
};

type Variables = typeof VARIABLES;
type Defaults = { [K in keyof Variables]: Parameters<Variables[K]>[0] };

/**
 * The variables of a service that speaks TLS with client certificates when it is told to, to be spread into a schema. They are
 * written out with their defaults, so that a search for a variable finds where it is defined.
 */
export function tls(defaults: Defaults): { [K in keyof Defaults]: ReturnType<Variables[K]> } {
  const names = Object.keys(VARIABLES) as (keyof Defaults)[];
  return Object.fromEntries(names.map((name) => [name, VARIABLES[name](defaults[name] as never)])) as never;
}

/** What certificates and a key come to; `of` is the one that is to be replaced by `fix`. */
export type TlsJudge = (pems: { cert: string; key: string; ca: string }) => TlsMistake[];
export type TlsMistake = { of: 'cert' | 'key' | 'ca'; problem: string; fix: string };

const FILES = { cert: 'TLS_CERT_PATH', key: 'TLS_KEY_PATH', ca: 'TLS_CA_PATH' } as const;
type File = keyof typeof FILES;
const KINDS = Object.keys(FILES) as File[];

type Refinement = { issues: { path?: PropertyKey[] }[]; addIssue: (issue: object) => void };
type Told = { variable: string; problem: string };

/**
 * The schema, which now also refuses TLS that could not work: one file without the others, a file that can't be read, and
 * whatever `judge` finds, for instance `certificateMistakes` of @cairn/http/tls.
 */
export function withTls<S extends Schema>(
  schema: S,
  judge: TlsJudge,
  readFile: ReadFile = readRegularFile,
): S {
  const refuse = (config: Record<string, unknown>, { issues, addIssue }: Refinement) => {
    // What is bad by itself is told already.
    if (issues.some(({ path }) => String(path?.[0]).startsWith('TLS_'))) return;
    for (const { variable, problem } of mistakesOf(config, judge, readFile))
      addIssue({ code: 'custom', path: [variable], message: problem, input: config[variable] });
  };
  // Also when other variables are bad: a deployment is repaired in one round.
  return schema.superRefine(refuse as never, { when: () => true });
}

function mistakesOf(config: Record<string, unknown>, judge: TlsJudge, readFile: ReadFile): Told[] {
  const missing = KINDS.filter((kind) => !config[FILES[kind]]);
  const isAsked = missing.length < KINDS.length || config['TLS_ALLOWED_CLIENTS']?.toString();
  if (!isAsked) return [];
  if (missing.length)
    return missing.map((kind) => ({
      variable: FILES[kind],
      problem: 'certificate, key and authorities, or none of TLS_. Set it as well, or unset the others',
    }));
  const told: Told[] = [];
  const pems = Object.fromEntries(
    KINDS.map((kind) => {
      const variable = FILES[kind];
      try {
        return [kind, readFile(String(config[variable]))];
      } catch (error) {
        const problem = `a file to read, and it is ${reasonOf(error)}. Set it to a file that this process may read`;
        told.push({ variable, problem });
        return [kind, ''];
      }
    }),
  );
  if (told.length) return told;
  return judge(pems as Parameters<TlsJudge>[0]).map(({ of, problem, fix }) => ({
    variable: FILES[of],
    problem: `a file that TLS can use; it ${problem}. Set it to ${fix}`,
  }));
}
