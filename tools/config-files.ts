import {
  renderEnv,
  renderMarkdown,
  renderReference,
  renderSsm,
  variablesOf,
  type Schema,
  type Variable,
} from '@cairn/config';

/** What is made from the schemas of the apps: for each file, what it is to hold given what it holds. */
export function configFiles(schemas: Record<string, Schema>): Record<string, (current: string) => string> {
  const made = '# Made from src/config.ts of the app, see docs/config.md: do not edit.';
  const files = Object.entries(schemas).flatMap(([app, schema]): [string, (current: string) => string][] => [
    [`apps/${app}/README.md`, (current) => current.replace(TABLE, () => renderMarkdown(schema))],
    [`apps/${app}/.env.example`, () => renderEnv(schema)],
    [`infra/kubernetes/base/${app}/config.env`, () => `${made}\n${literals(open(schema))}`],
    [`infra/kubernetes/base/${app}/secret.example.env`, () => `${made}\n${literals(secrets(schema))}`],
    [
      `infra/kubernetes/components/external-secrets/${app}.yaml`,
      () => `${made}\n${externalSecret(app, schema)}`,
    ],
    [`infra/terraform/parameters/${app}.json`, () => renderSsm(schema)],
  ]);
  const reference = Object.entries(schemas).map(([app, schema]) => `## ${app}\n\n${renderReference(schema)}`);
  const page = (current: string) => `${current.split(MARK)[0]}${MARK}\n\n${reference.join('\n')}`;
  return { ...Object.fromEntries(files), 'docs/config.md': page };
}

const TABLE = /^\| variable .*\n(?:\|.*\n)+/m;
/** What stands before it on the page is written by hand. */
const MARK = '<!-- From here on made from the schemas: UPDATE_CONFIG=1 npm test -- tools/config -->';

const open = (schema: Schema) =>
  variablesOf(schema).filter(({ isSecret, spelled }) => !isSecret && spelled !== '');
const secrets = (schema: Schema) => variablesOf(schema).filter(({ isSecret }) => isSecret);

/** As kustomize's generators take it: what is behind the first `=` is the value, quotes and all. */
function literals(variables: Variable[]): string {
  const lines = variables.map(
    ({ name, meaning, spelled = `<${name}>` }) => `# ${meaning}\n${name}=${spelled}\n`,
  );
  return lines.join('');
}

/** Has External Secrets make the app's Secret of the parameters that `renderSsm` names, below the stage's own path. */
function externalSecret(app: string, schema: Schema): string {
  const data = secrets(schema).map(
    ({ name, meaning }) => `    # ${meaning}
    - secretKey: ${name}
      remoteRef:
        key: ${app}/${name}
`,
  );
  return `apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  name: ${app}-secret
  labels:
    app.kubernetes.io/name: ${app}
spec:
  refreshInterval: 1h
  secretStoreRef:
    kind: SecretStore
    name: parameters
  target:
    name: ${app}-secret
  data:
${data.join('')}`;
}
