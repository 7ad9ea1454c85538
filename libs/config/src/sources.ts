import { printable } from './mask.ts';
import { looksLikePath } from './path.ts';
import { metaOf, written, type Environment, type Meta, type Schema } from './schema.ts';

/** @throws when there is nothing to read; an error with a `code` is told by it, its message never */
export type ReadFile = (path: string) => string;

/** Where the value of a variable comes from, before anybody judged it. */
export type Found = {
  name: string;
  meta: Meta;
  from: 'environment' | 'file' | 'development default' | 'default' | 'not set';
  raw?: string;
  /** Of the file. */
  path?: string;
  /** Why there is no value to judge. */
  refused?: { expected: string; got: string; fix: string };
};

export const ENVIRONMENTS = ['development', 'test', 'staging', 'production'] as const;
export type DeploymentEnvironment = (typeof ENVIRONMENTS)[number];
const ENVIRONMENT = 'DEPLOYMENT_ENVIRONMENT';

/** Each variable by itself, from the file that `X_FILE` names, or from its default. An empty one counts as not set. */
export function findAll(schema: Schema, env: Environment, readFile: ReadFile): Map<string, Found> {
  const names = Object.keys(schema.shape);
  const environment = environmentOf(schema, env, readFile);
  return new Map(names.map((name) => [name, find(name, metaOf(schema, name), env, readFile, environment)]));
}

/** Anything but a well-known word is production: whoever forgets to say where this runs gets no development key. */
export function environmentOf(schema: Schema, env: Environment, readFile: ReadFile): DeploymentEnvironment {
  if (!Object.hasOwn(schema.shape, ENVIRONMENT)) return 'production';
  const { raw } = find(ENVIRONMENT, metaOf(schema, ENVIRONMENT), env, readFile, 'production');
  return ENVIRONMENTS.find((known) => known === raw) ?? 'production';
}

/** Where the value would come from, in the words of the table. */
export function sourceOf({ from, path, refused }: Found): string {
  if (path === undefined) return from;
  if (refused && !looksLikePath(path)) return from === 'environment' ? from : 'file';
  return from === 'environment' ? `environment and file ${printable(path)}` : `file ${printable(path)}`;
}

function find(
  name: string,
  meta: Meta,
  env: Environment,
  readFile: ReadFile,
  environment: DeploymentEnvironment,
): Found {
  const [raw, path] = [env[name] || undefined, env[`${name}_FILE`] || undefined];
  if (raw !== undefined && path !== undefined) {
    const refused = { expected: `one of ${name} and ${name}_FILE`, got: 'both', fix: 'unset one of them' };
    return { name, meta, from: 'environment', path, refused };
  }
  if (path !== undefined) return fromFile(name, meta, path, readFile);
  if (raw !== undefined) return { name, meta, from: 'environment', raw };
  if (environment === 'development' && meta.development !== undefined)
    return { name, meta, from: 'development default', raw: written(meta.development) };
  return { name, meta, from: meta.default === undefined ? 'not set' : 'default' };
}

function fromFile(name: string, meta: Meta, path: string, readFile: ReadFile): Found {
  const refuse = (got: string, fix = 'mount the file, readable by the user of this process'): Found => {
    const isPath = looksLikePath(path);
    const expected = isPath ? 'a file to read' : `a path in ${name}_FILE, such as /run/secrets/${name}`;
    const refused = {
      expected,
      got,
      fix: isPath ? fix : `a value belongs into ${name}, the path of a file into ${name}_FILE`,
    };
    return { name, meta, from: 'file', path, refused };
  };
  let content: string;
  try {
    content = readFile(path);
  } catch (error) {
    return refuse(reasonOf(error));
  }
  // Editors and `echo` end a file with a line's end that belongs to the file and not to the value.
  const raw = content.replace(/\r?\n$/, '');
  return raw === ''
    ? refuse('an empty file', 'write the value into it')
    : { name, meta, from: 'file', path, raw };
}

/** Why a file could not be read, as a noun. */
export function reasonOf(error: unknown): string {
  return REASONS[(error as NodeJS.ErrnoException).code ?? ''] ?? 'a file that cannot be read';
}

const REASONS: Record<string, string> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  ENAMETOOLONG: 'no such file',
  EACCES: 'a file that this process may not read',
  EPERM: 'a file that this process may not read',
  EISDIR: 'no regular file',
  EFBIG: 'a file of more than 1 MiB',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'a file that is not in UTF-8',
};
