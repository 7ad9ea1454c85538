import type { Control } from '../check.ts';

const SERVICE = 'infra/terraform/modules/service';
const APPS = 'infra/terraform/modules/environment/apps.tf';

/** First what OpenTofu has to notice, then what our own rules have. */
export const CONTROLS: Control[] = [
  {
    does: 'an argument is misspelt',
    file: `${SERVICE}/services.tf`,
    change: (hcl) => hcl.replace('deregistration_delay = 30', 'deregistration_delays = 30'),
    expects: /services\.tf:\d+ Unsupported argument.*deregistration_delays/,
  },
  {
    does: 'a required argument is left out',
    file: `${SERVICE}/network.tf`,
    change: (hcl) => hcl.replace(/^ +ip_protocol .*\n/m, ''),
    expects: /network\.tf:\d+ Missing required argument.*ip_protocol/,
  },
  {
    does: 'a block is not one of the resource',
    file: `${SERVICE}/services.tf`,
    change: (hcl) => hcl.replace('deployment_circuit_breaker {', 'circuit_breaker {'),
    expects: /services\.tf:\d+ Unsupported block type.*circuit_breaker/,
  },
  {
    does: 'a reference leads to nothing',
    file: `${SERVICE}/registry.tf`,
    change: (hcl) => hcl.replace('aws_ecr_repository.this.name', 'aws_ecr_repository.images.name'),
    expects: /registry\.tf:\d+ Reference to undeclared resource/,
  },
  {
    does: 'there is no such type of resource',
    file: `${SERVICE}/tasks.tf`,
    change: (hcl) => hcl.replace('resource "aws_cloudwatch_log_group"', 'resource "aws_cloudwatch_loggroup"'),
    expects: /tasks\.tf:\d+ Invalid resource type/,
  },
  {
    does: 'a file is not formatted',
    file: `${SERVICE}/outputs.tf`,
    change: (hcl) => hcl.replace('  value       =', '  value ='),
    expects: /outputs\.tf is not formatted/,
  },
  {
    does: 'a value is given to a variable that the app does not have',
    file: APPS,
    change: (hcl) => hcl.replace('{ PAYMENTS_URL =', '{ PAYMENT_URL = "", PAYMENTS_URL ='),
    expects: /orders has no variable PAYMENT_URL/,
  },
  {
    does: 'a task has less time to stop than it gives itself',
    file: `${SERVICE}/tasks.tf`,
    change: (hcl) => hcl.replace('stopTimeout = 40', 'stopTimeout = 30'),
    expects: /stopTimeout is 30 s, DRAIN_MS and SHUTDOWN_DEADLINE_MS take up to 35 s/,
  },
  {
    does: 'a variable is renamed in the schema, and nowhere else',
    file: 'apps/orders/src/config.ts',
    change: (text) => text.replaceAll('REDIS_URL', 'DRAFTS_URL'),
    expects: /production: \S+ orders has no variable REDIS_URL/,
  },
  {
    does: 'what is required is not given',
    file: APPS,
    change: (hcl) => hcl.replace(/, \{ PAYMENTS_URL = .*? \}/, ''),
    expects: /orders needs a value for PAYMENTS_URL/,
  },
  {
    does: 'a process has a command that the app does not know',
    file: 'infra/terraform/environments/production/main.tf',
    change: (hcl) => hcl.replaceAll('consume =', 'work ='),
    expects: /production: \S+ \w+ knows no command "work"/,
  },
  {
    does: 'a container has another port than its process',
    file: `${SERVICE}/tasks.tf`,
    change: (hcl) => hcl.replace('containerPort = var.port', 'containerPort = 3000'),
    expects: /port 3000 is mapped, orders listens on PORT 3001/,
  },
  {
    does: 'an app gets another port, and who calls it does not know',
    file: APPS,
    change: (hcl) => hcl.replace('= 3002\n', '= 3012\n'),
    expects: /PAYMENTS_URL of orders calls payments on port 3002, where Service Connect has nobody/,
  },
  {
    does: 'a container asks itself for what nobody answers',
    file: `${SERVICE}/tasks.tf`,
    change: (hcl) => hcl.replace('METRICS_PORT:9464/health/live', 'METRICS_PORT:9464/alive'),
    expects: /its health is asked at \/alive, on port 9464 there are/,
  },
  {
    does: 'the balancer asks a path that nobody answers',
    file: `${SERVICE}/services.tf`,
    change: (hcl) => hcl.replace('"/health/ready"', '"/healthz"'),
    expects: /asks for health at \/healthz, for orders there are \/health/,
  },
  {
    does: 'an API path has no way through the balancer',
    file: APPS,
    change: (hcl) => hcl.replace('"/api/v1/drafts/*", ', ''),
    expects: /\/api\/v1\/drafts\/\S* of orders is in its OpenAPI and not in a rule/,
  },
];
