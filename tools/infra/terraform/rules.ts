import type { Resource } from './resolved.ts';

/** What the code says, that a stage has to agree with. */
export type App = {
  /** Commands of `main.ts`. */
  commands: string[];
  /** Names and reasons of the variables that the app would not start with. Secrets are not judged: nobody has them here. */
  refuses: (values: Record<string, string>) => string[];
  variables: { name: string; isSecret: boolean; isRequired: boolean }[];
  /** Paths of its API, as OpenAPI writes them. */
  paths: string[];
};
export type Facts = {
  apps: Record<string, App>;
  /** Of the probes. */
  healthPaths: string[];
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
    ...tasks.flatMap((task) => taskProblems(task, parameters, facts)),
    ...Object.entries(facts.apps).flatMap(([app, known]) => appProblems(app, known, parameters, resources)),
    ...of('aws_lb_target_group').flatMap((group) => targetProblems(group, facts)),
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
  facts: Facts,
): string[] {
  const containers = JSON.parse(String(task.values['container_definitions'])) as Container[];
  const main = containers.find(({ essential }) => essential);
  const app = main && facts.apps[main.name];
  if (!app) return [`${task.address} has no container that is named as one of the apps`];
  const values = parameters.get(main.name) ?? {};
  return [
    ...containers.flatMap(hardening),
    ...commandProblems(main, app),
    ...variableProblems(main, app),
    ...portProblems(main, values, facts),
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

/** Set by the task itself, and read by Node. */
const OF_NODE = ['NODE_EXTRA_CA_CERTS'];

function variableProblems({ name, environment = [], secrets = [] }: Container, { variables }: App): string[] {
  const given = new Set([...environment, ...secrets].map((variable) => variable.name));
  const known = new Set([...OF_NODE, ...variables.map((variable) => variable.name)]);
  const missing = variables.filter((variable) => variable.isRequired && !given.has(variable.name));
  const open = variables.filter(
    ({ isSecret, name: secret }) => isSecret && environment.some((one) => one.name === secret),
  );
  return [
    ...[...given]
      .filter((one) => !known.has(one))
      .map((one) => `${name} has no variable ${one} (src/config.ts): remove or rename it`),
    ...missing.map((one) => `${name} does not start without ${one.name}, which the task is not given`),
    ...open.map((one) => `${one.name} is a secret and stands in the task definition: take it from SSM`),
  ];
}

function portProblems(
  { name, portMappings = [], healthCheck }: Container,
  values: Record<string, string>,
  { healthPaths }: Facts,
): string[] {
  const port = values['PORT'];
  const asked = /:(\d+)(\/[\w/]*)/.exec(healthCheck?.command.join(' ') ?? '');
  return [
    ...portMappings
      .filter(({ containerPort }) => String(containerPort) !== port)
      .map(({ containerPort }) => `port ${containerPort} is mapped, ${name} listens on PORT ${port}`),
    ...(asked && ![port, values['METRICS_PORT']].includes(asked[1])
      ? [
          `its health is asked on port ${asked[1]}, ${name} listens on PORT ${port} and METRICS_PORT ${values['METRICS_PORT']}`,
        ]
      : []),
    ...(asked && !healthPaths.includes(asked[2]!)
      ? [`its health is asked at ${asked[2]}, there are ${healthPaths.join(', ')}`]
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
  app: string,
  known: App,
  parameters: Map<string, Record<string, string>>,
  resources: Resource[],
): string[] {
  const values = parameters.get(app);
  if (!values) return [`no parameters of ${app} are made`];
  const secret = known.variables.filter(({ name, isSecret }) => isSecret && name in values);
  return [
    ...known.refuses(values).map((why) => `${app} would refuse to start: ${why}`),
    ...secret.map(({ name }) => `${name} of ${app} is a secret, and its value would be in the state`),
    ...pathProblems(app, known, resources),
  ];
}

const escaped = (text: string) => text.replaceAll(/[^\w/-]/g, String.raw`\$&`);

/** Whatever a client may ask for is routed, and nothing else. */
function pathProblems(app: string, { paths }: App, resources: Resource[]): string[] {
  const patterns = resources
    .filter(({ type, address }) => type === 'aws_lb_listener_rule' && address.includes(`["${app}"]`))
    .flatMap(({ values }) => values['condition'] as { path_pattern: { values: string[] }[] }[])
    .flatMap(({ path_pattern: pattern }) => pattern.flatMap(({ values }) => values));
  const matches = (pattern: string, path: string) =>
    new RegExp(`^${pattern.split('*').map(escaped).join('.*')}$`).test(path.replaceAll(/\{\w+\}/g, 'x'));
  return [
    ...paths
      .filter((path) => !patterns.some((pattern) => matches(pattern, path)))
      .map(
        (path) => `${path} of ${app} is in its OpenAPI and not in a rule of the balancer: add it to paths`,
      ),
    ...patterns
      .filter((pattern) => !paths.some((path) => matches(pattern, path)))
      .map((pattern) => `the balancer sends ${pattern} to ${app}, which serves nothing there`),
  ];
}

function targetProblems({ address, values }: Resource, { healthPaths }: Facts): string[] {
  const [check] = values['health_check'] as { path: string }[];
  if (check && healthPaths.includes(check.path)) return [];
  return [`${address} asks for health at ${check?.path ?? '/'}, there are ${healthPaths.join(', ')}`];
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
