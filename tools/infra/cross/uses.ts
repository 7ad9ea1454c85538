import { isProbe, isVariable, missing, type App } from '../apps/app.ts';

/** Something that a file says about an app. `at` says where: the file, and what in it. */
export type Use = { at: string; app: string } & (
  | { what: 'image' }
  | { what: 'variable'; name: string }
  | {
      what: 'environment';
      values: Record<string, string>;
      /** Set to what is not known here: a secret, or something of the cloud. */
      elsewhere: string[];
      /** Folders that are there where it runs, and not here: what is in them can't be judged. */
      mounted?: string[];
    }
  | { what: 'command'; command: string }
  | { what: 'port'; port: number; server: keyof App['paths'] | 'any' }
  /** A `probe` is of the app's health. */
  | { what: 'path' | 'probe'; path: string; port: number }
  /** Someone calls the app on a port of its name; `open` are those that the name has. */
  | { what: 'call'; port: number; open: number[] }
  | { what: 'subscription'; topic: string; group: string }
);

/** What is wrong with a use, and what to do. Empty for what is right. */
export function judge(use: Use, apps: App[]): string[] {
  const app = apps.find(({ name }) => name === use.app);
  if (!app) {
    return [
      `${use.at}: there is no app "${use.app}": name one of ${apps.map(({ name }) => name).join(', ')}`,
    ];
  }
  return wrong(use, app).map((problem) => `${use.at}: ${problem}`);
}

function wrong(use: Use, app: App): string[] {
  const { name } = app;
  switch (use.what) {
    case 'image':
      return [];
    case 'variable':
      return isVariable(use.name, app) ? [] : [unknownVariable(use.name, app)];
    case 'environment':
      return wrongEnvironment(use, app);
    case 'command':
      return app.commands.includes(use.command)
        ? []
        : [
            `${name} has no command "${use.command}": use one of ${app.commands.join(', ')} (apps/${name}/src/main.ts)`,
          ];
    case 'port':
      return wrongPort(use, app);
    case 'path':
    case 'probe':
      return wrongPath(use, app);
    case 'call':
      return use.open.includes(use.port)
        ? []
        : [`${name} does not answer on port ${use.port} there: call it on ${use.open.join(' or ')}`];
    case 'subscription':
      return app.subscriptions.some(({ topic, group }) => topic === use.topic && group === use.group)
        ? []
        : [
            `${name} does not consume topic "${use.topic}" as group "${use.group}": see contracts/${name}.asyncapi.json`,
          ];
  }
}

const unknownVariable = (variable: string, { name }: App) =>
  `${name} has no variable ${variable}: take it out or give it the name that it has in apps/${name}/src/config.ts`;

function wrongEnvironment(
  { values, elsewhere, mounted = [] }: Use & { what: 'environment' },
  app: App,
): string[] {
  const unknown = [...Object.keys(values), ...elsewhere].filter((name) => !isVariable(name, app));
  // What is not known here can't be judged, only missed.
  const isThere = (variable: string) => mounted.some((folder) => values[variable]?.startsWith(`${folder}/`));
  const refused = app
    .refused(values)
    .filter(({ variable }) => !elsewhere.includes(variable) && !isThere(variable));
  // In development they have a default, on 127.0.0.1: in a container nothing is there.
  const lacking = missing(app, [...Object.keys(values), ...elsewhere]);
  return [
    ...unknown.map((name) => unknownVariable(name, app)),
    ...lacking.map((name) => `${app.name} needs ${name}, and it is not set: set it`),
    ...refused
      .filter(({ variable }) => !lacking.includes(variable))
      .map(
        ({ variable, expected, fix }) =>
          `${app.name} refuses to start with ${variable} ${variable in values ? `"${values[variable]}"` : 'not set'}, expected ${expected}: ${fix}`,
      ),
  ];
}

function wrongPort({ port, server }: Use & { what: 'port' }, app: App): string[] {
  const allowed = { http: [app.port], management: [app.managementPort], any: [app.port, app.managementPort] }[
    server
  ];
  if (allowed.includes(port)) return [];
  return [
    `${app.name} does not listen on port ${port}: use ${allowed.join(' or ')} (apps/${app.name}/src/config.ts)`,
  ];
}

function wrongPath({ what, path, port }: Use & { what: 'path' | 'probe' }, app: App): string[] {
  const { http, management } = app.paths;
  const served = port === app.managementPort ? management : port === app.port ? http : undefined;
  if (!served) return wrongPort({ at: '', app: app.name, what: 'port', port, server: 'any' }, app);
  const allowed = what === 'probe' ? served.filter(isProbe) : served;
  if (allowed.includes(path)) return [];
  const lacks = what === 'probe' ? 'no probe' : 'nothing';
  return [`${app.name} answers ${lacks} at ${path} on port ${port}: use one of ${allowed.join(', ')}`];
}
