import { parse } from 'yaml';
import type { App } from '../apps/app.ts';
import { callsOf } from '../apps/calls.ts';
import type { Use } from './uses.ts';

type Service = {
  image?: string;
  command?: string[] | string;
  environment?: Record<string, string | number>;
  ports?: string[];
  expose?: (string | number)[];
  build?: { dockerfile?: string; args?: Record<string, string> };
};

const IMAGE = /^(?:[^/]+\/)*cairn\/([a-z-]+)(?:[:@].*)?$/;

/** The app that an image is of, as long as it is one of ours. */
export function appOfImage(image: string | undefined, others: string[]): string | undefined {
  const name = IMAGE.exec(image ?? '')?.[1];
  return name !== undefined && others.includes(name) ? undefined : name;
}

/** Images under the same name that are no apps. */
export const NO_APPS = ['simulators', 'edge'];

/** What a file of compose says about apps. */
export function usesInCompose(file: string, yaml: string, apps: App[]): Use[] {
  const { services = {} } = parse(yaml, { merge: true }) as { services?: Record<string, Service> };
  return Object.entries(services).flatMap(([service, given]) => {
    const calls = callsIn(`${file}: ${service}`, given, apps);
    const app = appOfImage(given.image, NO_APPS);
    return app === undefined ? calls : [...calls, ...usesOf(`${file}: ${service}`, app, given)];
  });
}

function usesOf(
  at: string,
  app: string,
  { command = ['all'], environment = {}, ports = [], build }: Service,
): Use[] {
  const values = Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, interpolated(String(value))]),
  );
  const [first = ''] = typeof command === 'string' ? command.split(' ') : command;
  const built = build?.args?.['APP']?.replace(/^apps\//, '');
  return [
    { at, app, what: 'environment', values, elsewhere: [] },
    { at, app, what: 'command', command: first },
    ...ports.map((port): Use => {
      return { at, app, what: 'port', port: Number(port.split(':').at(-1)), server: 'any' };
    }),
    ...(built === undefined ? [] : [{ at: `${at}: APP`, app: built, what: 'image' } as const]),
  ];
}

/** URLs in the environment that lead to an app, by its name. */
function callsIn(at: string, { environment = {} }: Service, apps: App[]): Use[] {
  return Object.entries(environment).flatMap(([name, value]) =>
    callsOf(String(value), apps).map(({ app, port }): Use => ({
      at: `${at}: ${name}`,
      app: app.name,
      what: 'call',
      port,
      open: [app.port, app.managementPort],
    })),
  );
}

/** `${NAME:-default}` is its default, `${NAME}` is empty. */
function interpolated(value: string): string {
  return value.replaceAll(/\$\{\w+(?::?-([^}]*))?\}/g, '$1');
}
