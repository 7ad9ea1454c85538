import { masked } from './mask.ts';
import { metaOf, nameOf, variablesOf, written, type Schema, type Variable } from './schema.ts';

/**
 * What can be made from a schema: each is the text of a file. A value that is not known here is a placeholder, the
 * variable's name in angle brackets, which `parseConfig` refuses.
 */
export const RENDERINGS = {
  env: renderEnv,
  configmap: renderConfigMap,
  secret: renderSecret,
  ssm: renderSsm,
  markdown: renderMarkdown,
} satisfies Record<string, (schema: Schema) => string>;

/** A `.env` for a developer's machine: what has no default is set to its development default. */
export function renderEnv(schema: Schema): string {
  const variables = variablesOf(schema).map((variable) => {
    const { name, meaning, expected, spelled } = variable;
    // The one that all development defaults depend on.
    const development = name === 'DEPLOYMENT_ENVIRONMENT' ? 'development' : variable.development;
    const value = development === undefined ? (spelled ?? `<${name}>`) : written(development);
    const isDefault = development === undefined && spelled !== undefined;
    return `# ${meaning} (${expected})\n${isDefault ? '# ' : ''}${name}=${quoted(value)}\n`;
  });
  const head = `# ${nameOf(schema).service ?? 'This service'} on a developer's machine: copy it to .env, then node --env-file=.env main.js all`;
  return [`${head}\n`, ...variables].join('\n');
}

/** What is no secret, for Kubernetes; variables whose default is empty are left out, for empty is not set. */
export function renderConfigMap(schema: Schema): string {
  const variables = variablesOf(schema).filter(({ isSecret, spelled }) => !isSecret && spelled !== '');
  return manifest(schema, 'ConfigMap', 'data', variables);
}

/** What is secret, for Kubernetes: names and placeholders, to be filled in elsewhere than in a repository. */
export function renderSecret(schema: Schema): string {
  const variables = variablesOf(schema).filter(({ isSecret }) => isSecret);
  return manifest(schema, 'Secret', 'stringData', variables);
}

/** Parameters of AWS Systems Manager, each as `aws ssm put-parameter --cli-input-json` takes it. */
export function renderSsm(schema: Schema): string {
  const { system, service = 'service' } = nameOf(schema);
  const path = system === undefined ? `/${service}` : `/${system}/${service}`;
  const parameters = variablesOf(schema)
    .filter(({ spelled }) => spelled !== '')
    .map((variable) => ({
      Name: `${path}/${variable.name}`,
      Type: variable.isSecret ? 'SecureString' : 'String',
      Value: deployed(variable),
      Description: variable.meaning,
    }));
  return `${JSON.stringify(parameters, null, 2)}\n`;
}

/** The table of a README. */
export function renderMarkdown(schema: Schema): string {
  const rows = variablesOf(schema).map((variable) => [
    `\`${variable.name}\``,
    fallbackOf(variable),
    variable.meaning,
  ]);
  return table([['variable', 'default', 'meaning'], ...rows]);
}

/** The same with all there is to know, for a page of reference. */
export function renderReference(schema: Schema): string {
  const rows = variablesOf(schema).map((variable) => {
    const { name, meaning, expected, development, isSecret } = variable;
    const local =
      development === undefined ? '' : `\`${String(masked(metaOf(schema, name), written(development)))}\``;
    return [`\`${name}\``, meaning, expected, fallbackOf(variable), local, isSecret ? 'secret' : ''];
  });
  return table([['variable', 'meaning', 'expected', 'default', 'in development', 'kept'], ...rows]);
}

function fallbackOf({ spelled }: Variable): string {
  if (spelled === undefined) return 'required';
  return spelled === '' ? 'empty' : `\`${spelled}\``;
}

function deployed({ name, spelled = `<${name}>` }: Variable): string {
  return spelled;
}

/** `orders-config` or `orders-secret`. */
function manifest(
  schema: Schema,
  kind: 'ConfigMap' | 'Secret',
  field: string,
  variables: Variable[],
): string {
  const { system, service = 'service' } = nameOf(schema);
  const lines = variables.flatMap((variable) => [
    `  # ${variable.meaning}`,
    `  ${variable.name}: '${deployed(variable).replaceAll("'", "''")}'`,
  ]);
  return `apiVersion: v1
kind: ${kind}
metadata:
  name: ${service}-${kind === 'Secret' ? 'secret' : 'config'}
  labels:
    app.kubernetes.io/name: ${service}
${system === undefined ? '' : `    app.kubernetes.io/part-of: ${system}\n`}${field}:
${lines.join('\n')}
`;
}

/** As the readers of `.env` files take it that also strip comments. */
function quoted(value: string): string {
  if (/^[\w.:/@,%+~-]*$/.test(value)) return value;
  return value.includes("'") ? `"${value}"` : `'${value}'`;
}

/** Padded the way that formatters of Markdown want it. */
function table(rows: string[][]): string {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = escaped[0]!.map((_, i) => Math.max(3, ...escaped.map((row) => row[i]!.length)));
  const line = (cells: string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |\n`;
  const [head, ...body] = escaped;
  return [head!, widths.map((width) => '-'.repeat(width)), ...body].map(line).join('');
}
