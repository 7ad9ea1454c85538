import { parse } from 'yaml';
import type { App } from '../apps/app.ts';
import type { Use } from './uses.ts';

/** What the stage `app` of the one Dockerfile says about every app. */
export function usesInDockerfile(file: string, dockerfile: string, apps: App[]): Use[] {
  const [, stage = ''] = dockerfile.split(/^FROM .* AS app$/m);
  const command = /^CMD \["([\w:-]+)"/m.exec(stage)?.[1] ?? '';
  const ports = [...(/^EXPOSE (.*)$/m.exec(stage)?.[1] ?? '').matchAll(/\d+/g)].map(([port]) => Number(port));
  const asked = [...stage.matchAll(/"([A-Z_]+):(\d+)(\/[\w/-]*)"/g)];
  const variables = [...(/^ENV (.*)$/m.exec(stage)?.[1] ?? '').matchAll(/(\w+)=/g)].map(
    ([, name = '']) => name,
  );
  return apps.flatMap(({ name: app }) => [
    { at: `${file}: CMD`, app, what: 'command', command },
    ...ports.map((port): Use => ({ at: `${file}: EXPOSE`, app, what: 'port', port, server: 'any' })),
    ...variables.map((name): Use => ({ at: `${file}: ENV`, app, what: 'variable', name })),
    ...asked.flatMap(([, name = '', port, path = '']): Use[] => [
      { at: `${file}: HEALTHCHECK`, app, what: 'variable', name },
      { at: `${file}: HEALTHCHECK`, app, what: 'probe', path, port: Number(port) },
    ]),
  ]);
}

type Scrape = {
  job_name: string;
  metrics_path?: string;
  static_configs?: { targets: string[] }[];
  dns_sd_configs?: { names: string[]; port?: number }[];
};

/** The apps that Prometheus asks, and where it asks them. Apps that it does not ask are a problem. */
export function usesInPrometheus(
  file: string,
  yaml: string,
  apps: App[],
): { uses: Use[]; problems: string[] } {
  const { scrape_configs = [] } = parse(yaml) as { scrape_configs?: Scrape[] };
  const uses = scrape_configs.flatMap(
    ({ job_name, metrics_path = '/metrics', static_configs = [], dns_sd_configs = [] }) => {
      const named = static_configs.flatMap(({ targets }) => targets.map((target) => target.split(':')));
      const found = dns_sd_configs.flatMap(({ names, port = 80 }) =>
        names.map((name) => [name, String(port)]),
      );
      return [...named, ...found].flatMap(([host = '', port]): Use[] => {
        const app = host.replace(/^tasks\./, '');
        return apps.some(({ name }) => name === app)
          ? [{ at: `${file}: ${job_name}`, app, what: 'path', path: metrics_path, port: Number(port) }]
          : [];
      });
    },
  );
  const problems = apps
    .filter(({ name }) => !uses.some(({ app }) => app === name))
    .map(
      ({ name, managementPort }) => `${file}: nobody asks ${name}: add the target ${name}:${managementPort}`,
    );
  return { uses, problems };
}

/** The replicas that the balancer finds, by the app's name or the alias `<app>-unasked` of it, and what it asks them. */
export function usesInBalancer(file: string, config: string): Use[] {
  const path = /^ *http-check send .*\buri (\S+)/m.exec(config)?.[1] ?? '/';
  return [...config.matchAll(/^ *server(?:-template)? \S+ (?:\S+ )?([a-z-]+?)(?:-unasked)?:(\d+)/gm)].flatMap(
    ([, app = '', port]): Use[] => [
      { at: `${file}: ${app}`, app, what: 'port', port: Number(port), server: 'http' },
      { at: `${file}: ${app}`, app, what: 'probe', path, port: Number(port) },
    ],
  );
}

/** The parameters of SSM that are generated for an app: whether every variable that it needs is among them. */
export function usesInParameters(file: string, json: string, app: string): Use[] {
  const names = (JSON.parse(json) as { Name: string }[]).map(({ Name }) => Name.split('/').at(-1) ?? '');
  return [{ at: file, app, what: 'environment', values: {}, elsewhere: names }];
}
