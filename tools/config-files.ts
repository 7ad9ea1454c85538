import {
  renderConfigMap,
  renderEnv,
  renderMarkdown,
  renderReference,
  renderSecret,
  renderSsm,
  type Schema,
} from '@cairn/config';

/** What is made from the schemas of the apps: for each file, what it is to hold given what it holds. */
export function configFiles(schemas: Record<string, Schema>): Record<string, (current: string) => string> {
  const made = '# Made from src/config.ts of the app, see docs/config.md: do not edit.';
  const files = Object.entries(schemas).flatMap(([app, schema]): [string, (current: string) => string][] => [
    [`apps/${app}/README.md`, (current) => current.replace(TABLE, () => renderMarkdown(schema))],
    [`apps/${app}/.env.example`, () => renderEnv(schema)],
    [`infra/kubernetes/${app}/configmap.yaml`, () => `${made}\n${renderConfigMap(schema)}`],
    [`infra/kubernetes/${app}/secret.example.yaml`, () => `${made}\n${renderSecret(schema)}`],
    [`infra/terraform/parameters/${app}.json`, () => renderSsm(schema)],
  ]);
  const reference = Object.entries(schemas).map(([app, schema]) => `## ${app}\n\n${renderReference(schema)}`);
  const page = (current: string) => `${current.split(MARK)[0]}${MARK}\n\n${reference.join('\n')}`;
  return { ...Object.fromEntries(files), 'docs/config.md': page };
}

const TABLE = /^\| variable .*\n(?:\|.*\n)+/m;
/** What stands before it on the page is written by hand. */
const MARK = '<!-- From here on made from the schemas: UPDATE_CONFIG=1 npm test -- tools/config -->';
