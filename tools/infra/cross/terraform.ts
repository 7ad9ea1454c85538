import { covers, type App, type Use } from './uses.ts';

/**
 * What Terraform says about apps, as it is written in its modules: HCL is read by its lines here, since what is computed
 * can be known in a plan only. That the files are valid is the check `terraform`'s to tell.
 */
type Parameter = { Name: string };

/** The entries of `apps = { … }` in modules/environment/apps.tf. */
export function usesInApps(file: string, hcl: string, apps: App[]): { uses: Use[]; problems: string[] } {
  const [, table = ''] = /^ {2}apps = \{\n((?: {3,}.*\n)+)/m.exec(hcl) ?? [];
  const entries = [...table.matchAll(/^ {4}([a-z-]+) = \{\n((?: {5,}.*\n)+)/gm)];
  if (!entries.length) {
    return {
      uses: [],
      problems: [`${file}: the table \`apps\` is not where it was: adapt tools/infra/cross/terraform.ts`],
    };
  }
  const missing = apps.filter(({ name }) => !entries.some(([, app]) => app === name));
  const found = entries.map(([, app = '', body = '']) => ofEntry(`${file}: ${app}`, app, body, apps));
  return {
    uses: [...found.flatMap(({ uses }) => uses), ...everywhere(file, hcl, apps)],
    problems: [
      ...missing.map(({ name }) => `${file}: there is no entry for the app ${name}: add one to \`apps\``),
      ...found.flatMap(({ problems }) => problems),
    ],
  };
}

function ofEntry(at: string, name: string, body: string, apps: App[]) {
  const port = /^ *port *= (\d+)$/m.exec(body)?.[1];
  const patterns = [...(/^ *paths *=.*\[(.*)\]/m.exec(body)?.[1] ?? '').matchAll(/"([^"]+)"/g)].map(
    ([, path = '']) => path,
  );
  const app = apps.find((one) => one.name === name);
  const open = (app?.paths.http ?? []).filter((path) => path.startsWith('/api/'));
  const uses: Use[] = [
    { at, app: name, what: 'image' },
    { at, app: name, what: 'port', port: Number(port), server: 'http' },
    ...patterns.map((path): Use => ({
      at: `${at}: paths`,
      app: name,
      what: 'path',
      path,
      port: app?.port ?? 0,
    })),
    ...variablesIn(body).map((variable): Use => ({
      at: `${at}: values`,
      app: name,
      what: 'variable',
      name: variable,
    })),
  ];
  const problems = open
    .filter((path) => !patterns.some((pattern) => covers(pattern, path)))
    .map((path) => `${at}: paths: nothing leads to ${path}, which ${name} answers: add a pattern for it`);
  return { uses, problems };
}

/** Names that stand before `=` and are written like variables of the environment. */
function variablesIn(hcl: string): string[] {
  return [...hcl.matchAll(/\b([A-Z][A-Z\d]*(?:_[A-Z\d]+)+) *= /g)].map(([, name = '']) => name);
}

/** `every_process` goes to all of the apps; `kafka`, `topics` and `tokens` to those whose `values` name them. */
function everywhere(file: string, hcl: string, apps: App[]): Use[] {
  const groups = [...hcl.matchAll(/^ {2}(\w+) *= (?:merge\(\n((?: {4}.*\n)+)|(\{.*\})$)/gm)];
  return groups.flatMap(([, group = '', block = '', line = '']) => {
    const users = apps.filter(
      ({ name }) =>
        group === 'every_process' ||
        new RegExp(`^ {4}${name} = \\{\\n(?: {5,}.*\\n)*?.*\\blocal\\.${group}\\b`, 'm').test(hcl),
    );
    return users.flatMap(({ name: app }) =>
      variablesIn(block + line).map((name): Use => ({
        at: `${file}: ${group}`,
        app,
        what: 'variable',
        name,
      })),
    );
  });
}

/** What the modules say about each app alike: the paths that are asked, and the commands that are run. */
export function usesInService(file: string, hcl: string, apps: App[]): Use[] {
  const paths = [
    ...hcl.matchAll(/health_check \{\s*path *= "([^"]+)"/g),
    ...hcl.matchAll(/\$\{var\.port\}(\/[\w/-]+)/g),
  ].map(([, path = '']) => path);
  const commands = [...hcl.matchAll(/command = \["([\w:-]+)"\]/g)].map(([, command = '']) => command);
  // What the container asks itself: infra/docker/healthcheck.cjs takes VARIABLE:PORT/PATH.
  const asked = [...hcl.matchAll(/"METRICS_PORT:(\d+)(\/[\w/-]+)"/g)];
  return apps.flatMap(({ name: app, port }) => [
    ...paths.map((path): Use => ({ at: file, app, what: 'path', path, port })),
    ...asked.map(([, at, path = '']): Use => ({ at: file, app, what: 'path', path, port: Number(at) })),
    ...commands.map((command): Use => ({ at: file, app, what: 'command', command })),
  ]);
}

/** The process types of a stage: `processes = { orders = { serve = {…}, consume = {…} }, … }`. */
export function usesInStage(file: string, hcl: string): Use[] {
  const [, table = ''] = /^ *processes = \{\n([^]*?)^ {2}\}/m.exec(hcl) ?? [];
  return [...table.matchAll(/^ {4}([a-z]+) *= \{([^]*?)^ {4}\}|^ {4}([a-z]+) *= \{(.*)\}$/gm)].flatMap(
    ([, block, lines = '', inline, rest = '']) => {
      const app = block ?? inline ?? '';
      return [...(lines + rest).matchAll(/\b([a-z]+) *= \{/g)].map(([, command = '']): Use => ({
        at: `${file}: processes`,
        app,
        what: 'command',
        command,
      }));
    },
  );
}

/** The parameters of an app, and whether every variable that it needs is among them. */
export function usesInParameters(file: string, json: string, app: string): Use[] {
  const names = (JSON.parse(json) as Parameter[]).map(({ Name }) => Name.split('/').at(-1) ?? '');
  return [{ at: file, app, what: 'environment', values: {}, elsewhere: names }];
}
