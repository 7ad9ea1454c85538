import { parseConfig, variablesOf, type ConfigError, type Schema } from '@cairn/config';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { commandsIn, pathsIn } from '../cross/code.ts';
import type { App, Facts } from './rules.ts';

const APPS = ['orders', 'payments', 'notifications', 'worker', 'scheduler'];

/** What the code of the apps says. @param root the folder whose files are read */
export async function factsOf(root: string): Promise<Facts> {
  const read = (file: string) => readFileSync(join(root, file), 'utf8');
  const probes = pathsIn(read('libs/lifecycle/src/health.routes.ts')).http;
  const keepAlive = /keepAliveTimeout: ([\d_]+)/.exec(read('libs/http/src/http-app.ts'))?.[1];
  if (!keepAlive) throw new Error('libs/http/src/http-app.ts sets no keepAliveTimeout');
  const apps = await Promise.all(APPS.map(async (app) => [app, await appOf(root, app)] as const));
  return {
    apps: Object.fromEntries(apps),
    healthPaths: probes,
    keepAliveMs: Number(keepAlive.replaceAll('_', '')),
  };
}

async function appOf(root: string, app: string): Promise<App> {
  // Computed, since a tool may not depend on an app: it looks at them from outside.
  const place = pathToFileURL(join(root, `apps/${app}/src/config.ts`)).href;
  const { schema } = (await import(place)) as { schema: Schema };
  const main = readFileSync(join(root, `apps/${app}/src/main.ts`), 'utf8');
  const openapi = join(root, `contracts/${app}.openapi.json`);
  const { paths = {} } = (existsSync(openapi) ? JSON.parse(readFileSync(openapi, 'utf8')) : {}) as {
    paths?: object;
  };
  const variables = variablesOf(schema).map(({ name, isSecret, spelled }) => ({
    name,
    isSecret,
    isRequired: spelled === undefined,
  }));
  const secrets = new Set(variables.filter(({ isSecret }) => isSecret).map(({ name }) => name));
  return {
    variables,
    paths: Object.keys(paths),
    commands: commandsIn(main),
    refuses: (values) => refusals(schema, values, secrets),
  };
}

function refusals(schema: Schema, values: Record<string, string>, secrets: Set<string>): string[] {
  try {
    parseConfig(schema, values);
    return [];
  } catch (error) {
    const { problems } = error as ConfigError;
    return problems
      .filter(({ variable }) => !secrets.has(variable))
      .map(({ variable, expected, got, fix }) => `${variable} is ${got}, expected ${expected}: ${fix}`);
  }
}
