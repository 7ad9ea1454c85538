import { isProbe, isVariable, missing, type App } from '../apps/app.ts';
import { callsOf } from '../apps/calls.ts';
import type { Resource } from './resolved.ts';

/** What the code says, that a stage has to agree with. */
export type Facts = {
  apps: App[];
  /** For which apps keep an idle connection. */
  keepAliveMs: number;
};

type Container = {
  name: string;
  image: string;
  essential: boolean;
  user?: string;
  command?: string[];
  readonlyRootFilesystem?: boolean;
  linuxParameters?: { capabilities?: { drop?: string[] } };
  stopTimeout?: number;
  environment?: { name: string; value: string }[];
  secrets?: { name: string; valueFrom: string }[];
  portMappings?: { containerPort: number }[];
  healthCheck?: { command: string[] };
};

/** What is wrong with a stage, all of whose values are known. @param stage begins every problem */
export function problemsOf(stage: string, resources: Resource[], facts: Facts): string[] {
  const of = (type: string) => resources.filter((resource) => resource.type === type);
  const parameters = parametersOf(of('aws_ssm_parameter'));
  const tasks = of('aws_ecs_task_definition');
  const problems = [
    ...tasks.flatMap((task) => taskProblems(task, parameters, facts.apps)),
    ...facts.apps.flatMap((app) => appProblems(app, parameters, resources)),
    ...callProblems(parameters, of('aws_ecs_service'), facts.apps),
    ...of('aws_lb_target_group').flatMap((group) => targetProblems(group, facts.apps)),
    ...of('aws_lb').flatMap((balancer) => idleProblems(balancer, facts)),
    ...resources.flatMap(policyProblems),
  ];
  return problems.map((problem) => `${stage}: ${problem}`);
}

/** By app, then by variable. Names are /cairn/<stage>/<app>/<variable>. */
function parametersOf(resources: Resource[]): Map<string, Record<string, string>> {
  const byApp = new Map<string, Record<string, string>>();
  for (const { values } of resources) {
    const [app = '', name = ''] = String(values['name']).split('/').slice(-2);
    byApp.set(app, { ...byApp.get(app), [name]: String(values['value']) });
  }
  return byApp;
}

function taskProblems(
  task: Resource,
  parameters: Map<string, Record<string, string>>,
  apps: App[],
): string[] {
  const containers = JSON.parse(String(task.values['container_definitions'])) as Container[];
  const main = containers.find(({ essential }) => essential);
  const app = apps.find(({ name }) => name === main?.name);
  if (!main || !app) return [`${task.address} has no container that is named as one of the apps`];
  const values = parameters.get(main.name) ?? {};
  return [
    ...containers.flatMap(hardening),
    ...commandProblems(main, app),
    ...variableProblems(main, app),
    ...portProblems(main, values, app),
    ...stopProblems(main, values),
  ].map((problem) => `${task.address}: ${problem}`);
}

function hardening({
  name,
  image,
  essential,
  user,
  readonlyRootFilesystem,
  linuxParameters,
}: Container): string[] {
  const wrong: [boolean, string][] = [
    [!/@sha256:[0-9a-f]{64}$/.test(image), `the image ${image} is not named by its digest`],
    [!readonlyRootFilesystem, 'the root file system can be written to: set readonlyRootFilesystem'],
    [linuxParameters?.capabilities?.drop?.[0] !== 'ALL', 'capabilities are left: drop ALL'],
    [
      essential && !/^[1-9]\d*(:[1-9]\d*)?$/.test(user ?? ''),
      'the user is not one by number other than root',
    ],
  ];
  return wrong.filter(([is]) => is).map(([, problem]) => `container ${name}: ${problem}`);
}

function commandProblems({ name, command = [] }: Container, { commands }: App): string[] {
  const [first = ''] = command;
  if (commands.includes(first)) return [];
  return [`${name} knows no command "${first}": there are ${commands.join(', ')} (src/main.ts)`];
}

function variableProblems({ name, environment = [], secrets = [] }: Container, app: App): string[] {
  const given = [...environment, ...secrets].map((variable) => variable.name);
  return [
    ...[...new Set(given)]
      .filter((one) => !isVariable(one, app))
      .map((one) => `${name} has no variable ${one} (src/config.ts): remove or rename it`),
    ...missing(app, given).map((one) => `${name} does not start without ${one}, which the task is not given`),
    ...environment
      .filter((one) => app.secrets.includes(one.name))
      .map((one) => `${one.name} is a secret and stands in the task definition: take it from SSM`),
  ];
}

function portProblems(
  { name, portMappings = [], healthCheck }: Container,
  values: Record<string, string>,
  { paths }: App,
): string[] {
  const { PORT: port, METRICS_PORT: managementPort } = values;
  const [, asked, path = ''] = /:(\d+)(\/[\w/]*)/.exec(healthCheck?.command.join(' ') ?? '') ?? [];
  const server = asked === port ? paths.http : asked === managementPort ? paths.management : undefined;
  const answered = server?.filter(isProbe);
  const listens = `${name} listens on PORT ${port} and METRICS_PORT ${managementPort}`;
  return [
    ...portMappings
      .filter(({ containerPort }) => String(containerPort) !== port)
      .map(({ containerPort }) => `port ${containerPort} is mapped, ${name} listens on PORT ${port}`),
    ...(asked && !answered ? [`its health is asked on port ${asked}, ${listens}`] : []),
    ...(answered && !answered.includes(path)
      ? [`its health is asked at ${path}, on port ${asked} there are ${answered.join(', ')}`]
      : []),
  ];
}

function stopProblems({ stopTimeout = 30 }: Container, values: Record<string, string>): string[] {
  const needs = Number(values['DRAIN_MS']) + Number(values['SHUTDOWN_DEADLINE_MS']);
  if (stopTimeout * 1000 > needs) return [];
  return [
    `stopTimeout is ${stopTimeout} s, DRAIN_MS and SHUTDOWN_DEADLINE_MS take up to ${needs / 1000} s: give it more`,
  ];
}

function appProblems(
  app: App,
  parameters: Map<string, Record<string, string>>,
  resources: Resource[],
): string[] {
  const { name, secrets, refused } = app;
  const values = parameters.get(name);
  if (!values) return [`no parameters of ${name} are made`];
  return [
    // Nobody has the secrets here.
    ...refused(values)
      .filter(({ variable }) => !secrets.includes(variable))
      .map(
        ({ variable, expected, fix }) =>
          `${name} would refuse to start: ${variable} is ${values[variable] ?? 'not set'}, expected ${expected}: ${fix}`,
      ),
    ...secrets
      .filter((secret) => secret in values)
      .map((secret) => `${secret} of ${name} is a secret, and its value would be in the state`),
    ...pathProblems(app, resources),
  ];
}

type Connect = { service?: { client_alias: { dns_name: string; port: number }[] }[] };

/** Whoever is called by name has the name and the port in Service Connect. */
function callProblems(
  parameters: Map<string, Record<string, string>>,
  services: Resource[],
  apps: App[],
): string[] {
  const aliases = services
    .flatMap(({ values }) => (values['service_connect_configuration'] ?? []) as Connect[])
    .flatMap(({ service = [] }) => service.flatMap(({ client_alias: alias }) => alias));
  return [...parameters].flatMap(([name, values]) =>
    Object.entries(values).flatMap(([variable, value]) =>
      callsOf(value, apps)
        .map(({ app, port }) => ({ app: app.name, port }))
        .filter(({ app, port }) => !aliases.some((one) => one.dns_name === app && one.port === port))
        .map(
          ({ app, port }) =>
            `${variable} of ${name} calls ${app} on port ${port}, where Service Connect has nobody`,
        ),
    ),
  );
}

const escaped = (text: string) => text.replaceAll(/[^\w/-]/g, String.raw`\$&`);

/** Whatever a client may ask for is routed, and nothing else. */
function pathProblems({ name, api }: App, resources: Resource[]): string[] {
  const patterns = resources
    .filter(({ type, address }) => type === 'aws_lb_listener_rule' && address.includes(`["${name}"]`))
    .flatMap(({ values }) => values['condition'] as { path_pattern: { values: string[] }[] }[])
    .flatMap(({ path_pattern: pattern }) => pattern.flatMap(({ values }) => values));
  const matches = (pattern: string, path: string) =>
    new RegExp(`^${pattern.split('*').map(escaped).join('.*')}$`).test(path.replaceAll(/\{\w+\}/g, 'x'));
  return [
    ...api
      .filter((path) => !patterns.some((pattern) => matches(pattern, path)))
      .map(
        (path) => `${path} of ${name} is in its OpenAPI and not in a rule of the balancer: add it to paths`,
      ),
    ...patterns
      .filter((pattern) => !api.some((path) => matches(pattern, path)))
      .map((pattern) => `the balancer sends ${pattern} to ${name}, which serves nothing there`),
  ];
}

/** A group is of any app: it asks for what all of them answer. */
function targetProblems({ address, values }: Resource, apps: App[]): string[] {
  const [{ path = '/' } = {}] = values['health_check'] as { path?: string }[];
  return apps
    .map(({ name, paths }) => ({ name, answered: paths.http.filter(isProbe) }))
    .filter(({ answered }) => !answered.includes(path))
    .map(
      ({ name, answered }) =>
        `${address} asks for health at ${path}, for ${name} there are ${answered.join(', ')}`,
    );
}

function idleProblems({ address, values }: Resource, { keepAliveMs }: Facts): string[] {
  const idle = Number(values['idle_timeout'] ?? 60);
  if (idle * 1000 < keepAliveMs) return [];
  return [
    `${address} keeps idle connections for ${idle} s, apps close them after ${keepAliveMs / 1000} s: requests would be sent into closed ones`,
  ];
}

type Statement = {
  Sid?: string;
  Effect: string;
  Action: string | string[];
  Resource?: string | string[];
  Condition?: unknown;
};

/** Actions that AWS knows no resources for, or none that are known beforehand; each statement says so where it stands. */
const WITHOUT_RESOURCE = [
  'ecr:GetAuthorizationToken',
  'ecs:DescribeTaskDefinition',
  'ecs:ListServices',
  'ecs:RegisterTaskDefinition',
];

const POLICIES: Record<string, string> = {
  aws_iam_role_policy: 'policy',
  aws_iam_user_policy: 'policy',
  aws_iam_policy: 'policy',
};

function policyProblems({ address, type, values }: Resource): string[] {
  const attribute = POLICIES[type];
  if (attribute === undefined) return [];
  const { Statement: statements } = JSON.parse(String(values[attribute])) as { Statement: Statement[] };
  return statements
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap(({ Sid = '?', Action, Resource: on = [] }) => {
      const actions = [Action].flat();
      const wide = actions.filter((action) => action.endsWith('*'));
      const anywhere = [on].flat().includes('*');
      const unreasoned = actions.filter((action) => anywhere && !WITHOUT_RESOURCE.includes(action));
      return [
        ...wide.map((action) => `${address} ${Sid} allows ${action}: name the actions`),
        ...unreasoned.map((action) => `${address} ${Sid} allows ${action} on every resource: name them`),
      ];
    });
}
