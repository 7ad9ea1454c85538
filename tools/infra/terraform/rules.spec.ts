import { describe, expect, it } from '@jest/globals';
import type { App } from '../apps/app.ts';
import { problemOf, resolvedBy, type Resource } from './resolved.ts';
import { problemsOf, type Facts } from './rules.ts';

const orders: App = {
  name: 'orders',
  variables: ['PORT', 'DATABASE_URL'],
  required: ['DATABASE_URL'],
  secrets: ['DATABASE_URL'],
  refused: ({ PAYMENTS_URL: url }) =>
    url === 'nonsense' ? [{ variable: 'PAYMENTS_URL', expected: 'a URL', fix: 'correct it' }] : [],
  commands: ['serve', 'migrate'],
  port: 3001,
  managementPort: 9464,
  paths: {
    http: ['/health/live', '/health/ready', '/api/v1/orders', '/api/v1/orders/{id}'],
    management: ['/health/live', '/prestop'],
  },
  api: ['/api/v1/orders', '/api/v1/orders/{id}'],
  subscriptions: [],
};
const facts: Facts = { apps: [orders], keepAliveMs: 65_000 };

const container = {
  name: 'orders',
  image: `registry.example/orders@sha256:${'0'.repeat(64)}`,
  essential: true,
  user: '1000:1000',
  command: ['serve'],
  readonlyRootFilesystem: true,
  linuxParameters: { capabilities: { drop: ['ALL'] } },
  stopTimeout: 40,
  secrets: [
    { name: 'PORT', valueFrom: 'arn:port' },
    { name: 'DATABASE_URL', valueFrom: 'arn:url' },
  ],
  environment: [] as { name: string; value: string }[],
  portMappings: [{ containerPort: 3001 }],
  healthCheck: { command: ['CMD', 'node', 'healthcheck.cjs', 'METRICS_PORT:9464/health/live'] },
};
const values = { PORT: '3001', METRICS_PORT: '9464', DRAIN_MS: '5000', SHUTDOWN_DEADLINE_MS: '30000' };

type Stage = {
  container?: object;
  values?: Record<string, string>;
  paths?: string[];
  health?: string;
  idle?: number;
  statement?: object;
};

/** A stage in which everything is right but what is given. */
const stage = (wrong: Stage = {}): Resource[] => [
  ...Object.entries({ ...values, ...wrong.values }).map(([name, value]) => ({
    address: `parameter["${name}"]`,
    type: 'aws_ssm_parameter',
    values: { name: `/cairn/dev/orders/${name}`, value },
  })),
  {
    address: 'task',
    type: 'aws_ecs_task_definition',
    values: { container_definitions: JSON.stringify([{ ...container, ...wrong.container }]) },
  },
  {
    address: 'service["orders"].rule["serve"]',
    type: 'aws_lb_listener_rule',
    values: {
      condition: [{ path_pattern: [{ values: wrong.paths ?? ['/api/v1/orders', '/api/v1/orders/*'] }] }],
    },
  },
  {
    address: 'service',
    type: 'aws_ecs_service',
    values: {
      service_connect_configuration: [
        { service: [{ client_alias: [{ dns_name: 'orders', port: 3001 }] }] },
        { service: [] },
      ],
    },
  },
  {
    address: 'target',
    type: 'aws_lb_target_group',
    values: { health_check: [{ path: wrong.health ?? '/health/ready' }] },
  },
  { address: 'balancer', type: 'aws_lb', values: { idle_timeout: wrong.idle ?? 60 } },
  {
    address: 'role',
    type: 'aws_iam_role_policy',
    values: {
      policy: JSON.stringify({
        Statement: [
          { Sid: 'Login', Effect: 'Allow', Action: 'ecr:GetAuthorizationToken', Resource: '*' },
          { Effect: 'Deny', Action: 's3:*', Resource: '*' },
          ...(wrong.statement ? [wrong.statement] : []),
        ],
      }),
    },
  },
];

describe('a stage', () => {
  it('has no problem when it agrees with the code', () => {
    expect(problemsOf('dev', stage(), facts)).toEqual([]);
  });

  const sent = (secrets: string[]) => ({ secrets: secrets.map((name) => ({ name, valueFrom: 'arn' })) });
  it.each<[string, Stage, string]>([
    [
      'an unknown command',
      { container: { command: ['server'] } },
      'no command "server": there are serve, migrate',
    ],
    ['an unknown variable', { container: sent(['DATABASE_URL', 'PROT']) }, 'orders has no variable PROT'],
    ['a missing variable', { container: sent(['PORT']) }, 'does not start without DATABASE_URL'],
    [
      'a secret in the open',
      { container: { environment: [{ name: 'DATABASE_URL', value: 'postgres://' }] } },
      'DATABASE_URL is a secret and stands in the task definition',
    ],
    ['a secret in the state', { values: { DATABASE_URL: 'x' } }, 'its value would be in the state'],
    [
      'a bad value',
      { values: { PAYMENTS_URL: 'nonsense' } },
      'orders would refuse to start: PAYMENTS_URL is nonsense, expected a URL: correct it',
    ],
    [
      'a call to a port where nobody is',
      { values: { ORDERS_URL: 'http://orders:3002' } },
      'ORDERS_URL of orders calls orders on port 3002, where Service Connect has nobody',
    ],
    ['another port', { container: { portMappings: [{ containerPort: 3002 }] } }, 'port 3002 is mapped'],
    [
      'another port for its health',
      { container: { healthCheck: { command: ['METRICS_PORT:9469/health/live'] } } },
      'asked on port 9469, orders listens on PORT 3001 and METRICS_PORT 9464',
    ],
    [
      'a probe that is not there',
      { container: { healthCheck: { command: ['METRICS_PORT:9464/healthz'] } } },
      'asked at /healthz, on port 9464 there are /health/live',
    ],
    [
      'a path that is answered, and is no probe',
      { container: { healthCheck: { command: ['METRICS_PORT:9464/prestop'] } } },
      'asked at /prestop',
    ],
    ['another probe for the balancer', { health: '/ready' }, 'target asks for health at /ready'],
    [
      'a balancer that asks its API',
      { health: '/api/v1/orders' },
      'target asks for health at /api/v1/orders',
    ],
    ['too little time to stop', { container: { stopTimeout: 35 } }, 'take up to 35 s: give it more'],
    ['a tag for an image', { container: { image: 'orders:latest' } }, 'not named by its digest'],
    ['a root file system to write to', { container: { readonlyRootFilesystem: false } }, 'can be written to'],
    ['capabilities', { container: { linuxParameters: {} } }, 'drop ALL'],
    ['root', { container: { user: '0:0' } }, 'other than root'],
    ['a user by name', { container: { user: 'node' } }, 'other than root'],
    [
      'a path that is not routed',
      { paths: ['/api/v1/orders'] },
      '/api/v1/orders/{id} of orders is in its OpenAPI',
    ],
    [
      'a path that nobody serves',
      { paths: ['/api/v1/orders', '/api/v1/orders/*', '/metrics'] },
      'the balancer sends /metrics to orders, which serves nothing there',
    ],
    ['a balancer that keeps connections longer', { idle: 65 }, 'sent into closed ones'],
    [
      'a right on everything',
      { statement: { Sid: 'Read', Effect: 'Allow', Action: ['ssm:GetParameters'], Resource: '*' } },
      'role Read allows ssm:GetParameters on every resource',
    ],
    [
      'all rights on something',
      { statement: { Sid: 'All', Effect: 'Allow', Action: 'ssm:*', Resource: 'arn' } },
      'role All allows ssm:*: name the actions',
    ],
  ])('does not go with %s', (_, wrong, problem) => {
    const problems = problemsOf('dev', stage(wrong), facts);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
    expect(problems[0]).toMatch(/^dev: /);
  });

  it('calls apps where they are', () => {
    expect(problemsOf('dev', stage({ values: { ORDERS_URL: 'http://orders:3001' } }), facts)).toEqual([]);
  });

  it('asks for health on either port of the app', () => {
    const command = ['CMD', 'node', 'healthcheck.cjs', 'PORT:3001/health/live'];
    expect(problemsOf('dev', stage({ container: { healthCheck: { command } } }), facts)).toEqual([]);
  });

  it('has tasks of apps that there are', () => {
    const problems = problemsOf('dev', stage({ container: { name: 'order' } }), facts);
    expect(problems).toEqual(['dev: task has no container that is named as one of the apps']);
  });
});

describe('what OpenTofu says', () => {
  const resource = (address: string, mode = 'managed') => ({ address, mode, type: 'aws_lb', values: {} });
  const line = (message: object) => JSON.stringify({ '@level': 'info', ...message });

  it('is the resources of all modules of the last run, without what was only looked up', () => {
    const root = {
      resources: [resource('a'), resource('data.b', 'data')],
      child_modules: [{ child_modules: [{ resources: [resource('module.m.c')] }] }],
    };
    const output = [
      'not JSON',
      line({ type: 'test_state', test_state: { values: { root_module: {} } } }),
      line({ type: 'test_state', test_state: { values: { root_module: root } } }),
    ].join('\n');
    expect(resolvedBy(output).resources.map(({ address }) => address)).toEqual(['a', 'module.m.c']);
  });

  it('is a problem in one line that begins with the place', () => {
    const diagnostic = {
      severity: 'error' as const,
      summary: 'Unsupported argument',
      detail: 'An argument named "nmae"\n  is not expected here.',
      range: { filename: '../../modules/service/tasks.tf', start: { line: 7 } },
    };
    expect(resolvedBy(line({ type: 'diagnostic', diagnostic })).diagnostics).toEqual([diagnostic]);
    expect(problemOf(diagnostic, 'infra/terraform/environments/dev')).toBe(
      'infra/terraform/modules/service/tasks.tf:7 Unsupported argument: An argument named "nmae" is not expected here.',
    );
  });
});
