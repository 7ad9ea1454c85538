import { ConfigError, parseConfig, variablesOf, type Schema } from '@cairn/config';
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pinOf } from '../programs/cache.ts';
import { commandsIn, pathsIn, subscriptionsIn } from './code.ts';
import type { App } from './app.ts';

type Text = (file: string) => string;
/** Where paths that every app answers are written down. */
const ROUTES = [
  'libs/lifecycle/src/health.routes.ts',
  'libs/boot/src/run-app.ts',
  'libs/telemetry/src/metrics.server.ts',
];

/** Every app of the repository in `root`. */
export async function appsIn(root: string): Promise<App[]> {
  const names = globSync('apps/*/src/config.ts', { cwd: root }).map((file) =>
    basename(dirname(dirname(file))),
  );
  return Promise.all(names.sort().map((name) => appOf(root, name)));
}

async function appOf(root: string, name: string): Promise<App> {
  const text: Text = (file) => readFileSync(join(root, file), 'utf8');
  const schema = await schemaOf(join(root, 'apps', name, 'src/config.ts'));
  const variables = variablesOf(schema);
  const portOf = (variable: string) => Number(variables.find((one) => one.name === variable)?.spelled);
  const api = Object.keys(contract(root, `${name}.openapi.json`)['paths'] ?? {});
  const everywhere = pathsIn(ROUTES.map(text).join('\n'));
  return {
    name,
    variables: variables.map((variable) => variable.name),
    required: variables.flatMap((one) => (one.spelled === undefined ? [one.name] : [])),
    secrets: variables.flatMap(({ name: variable, isSecret }) => (isSecret ? [variable] : [])),
    refused: (env) => refusedBy(schema, env),
    commands: commandsIn(text(`apps/${name}/src/main.ts`)),
    port: portOf('PORT'),
    managementPort: portOf('METRICS_PORT'),
    paths: { http: [...everywhere.http, ...api], management: everywhere.management },
    api,
    subscriptions: subscriptionsIn(contract(root, `${name}.asyncapi.json`)),
  };
}

/** For how long every app keeps an idle connection. */
export function keepAliveMsIn(root: string): number {
  const file = 'libs/http/src/http-app.ts';
  const found = /keepAliveTimeout: ([\d_]+)/.exec(readFileSync(join(root, file), 'utf8'))?.[1];
  if (!found) throw new Error(`${file} sets no keepAliveTimeout`);
  return Number(found.replaceAll('_', ''));
}

/** By a URL that differs with the text: a module is loaded once for each URL. */
async function schemaOf(file: string): Promise<Schema> {
  const url = `${pathToFileURL(file).href}?${pinOf(readFileSync(file, 'utf8'))}`;
  return ((await import(url)) as { schema: Schema }).schema;
}

/** Worker and scheduler have no API of their own, and so no OpenAPI. */
function contract(root: string, file: string): Record<string, object> {
  const [found] = globSync(`contracts/${file}`, { cwd: root });
  return found ? (JSON.parse(readFileSync(join(root, found), 'utf8')) as Record<string, object>) : {};
}

function refusedBy(schema: Schema, env: Record<string, string>) {
  try {
    parseConfig(schema, env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}
