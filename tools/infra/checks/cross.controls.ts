import type { Control } from '../check.ts';

const put = (from: string | RegExp, to: string) => (text: string) => text.replace(from, to);

/** One mistake of each kind, in each place that can make it. */
export const CONTROLS: Control[] = [
  {
    does: 'a variable is renamed in the schema, and nowhere else',
    file: 'apps/orders/src/config.ts',
    change: (text) => text.replaceAll('REDIS_URL', 'DRAFTS_URL'),
    expects: /compose\/apps\.yml: orders: orders has no variable REDIS_URL/,
  },
  {
    does: 'the same, as Kubernetes sees it',
    file: 'apps/orders/src/config.ts',
    change: (text) => text.replaceAll('REDIS_URL', 'DRAFTS_URL'),
    expects: /overlays\/production: Deployment\/orders-serve: orders has no variable REDIS_URL/,
  },
  {
    does: 'the same, as parameters have it',
    file: 'apps/orders/src/config.ts',
    change: (text) => text.replaceAll('REDIS_URL', 'DRAFTS_URL'),
    expects: /parameters\/orders\.json: orders has no variable REDIS_URL/,
  },
  {
    does: 'a file is named in a folder that nobody mounts',
    file: 'infra/kubernetes/components/tls/deployment.yaml',
    change: put('mountPath: /tls', 'mountPath: /certificates'),
    expects: /staging-tls: Deployment\/payments-serve: payments refuses to start with TLS_KEY_PATH/,
  },
  {
    does: 'what is required is not set any more',
    file: 'infra/compose/apps.yml',
    change: put(/^ +GATEWAY_URL: .*\n/m, ''),
    expects: /apps\.yml: payments: payments needs GATEWAY_URL, and it is not set/,
  },
  {
    does: 'a value is one that the app refuses',
    file: 'infra/compose/apps.yml',
    change: put('smtp://mail:1025', 'http://mail:1025'),
    expects: /notifications refuses to start with SMTP_URL "http:\/\/mail:1025"/,
  },
  {
    does: 'a value of an overlay is one that the app refuses',
    file: 'infra/kubernetes/overlays/production/shared.env',
    change: (text) => `${text.trimEnd()}\nLOG_LEVEL=loud\n`,
    expects: /overlays\/production: .*refuses to start with LOG_LEVEL "loud"/,
  },
  {
    does: 'a variable of an overlay is misspelt',
    file: 'infra/kubernetes/overlays/staging/shared.env',
    change: (text) => `${text.trimEnd()}\nLOG_LEVLE=debug\n`,
    expects: /overlays\/staging: .*has no variable LOG_LEVLE/,
  },
  {
    does: 'a command is renamed in the code',
    file: 'apps/payments/src/main.ts',
    change: put(/^ {2}consume: \{/m, '  listen: {'),
    expects: /Deployment\/payments-consume: payments has no command "consume"/,
  },
  {
    does: 'a one-off process of compose has a command that the app does not know',
    file: 'infra/compose/apps.yml',
    change: put('command: [seed]', 'command: [sow]'),
    expects: /apps\.yml: orders-seed: orders has no command "sow"/,
  },
  {
    does: 'a path of the probes is renamed in the code',
    file: 'libs/lifecycle/src/health.routes.ts',
    change: (text) => text.replaceAll('/health/live', '/health/alive'),
    expects: /Deployment\/worker-consume: livenessProbe: worker answers no probe at \/health\/live/,
  },
  {
    does: 'a probe asks for what begins to drain',
    file: 'infra/kubernetes/base/process/deployment.yaml',
    change: put('/health/live', '/prestop'),
    expects: /livenessProbe: \w+ answers no probe at \/prestop on port \d+/,
  },
  {
    does: 'the balancer of compose asks a path that nobody answers',
    file: 'infra/compose/edge/haproxy.cfg',
    change: put('/health/ready', '/ready'),
    expects: /haproxy\.cfg: orders: orders answers no probe at \/ready on port 3001/,
  },
  {
    does: 'the hook before a stop asks the wrong port',
    file: 'infra/kubernetes/base/process/deployment.yaml',
    change: put(/(\/prestop\s+port: )metrics/, '$1http'),
    expects: /preStop: \w+ answers nothing at \/prestop on port 300\d/,
  },
  {
    does: 'a container has another port than the process',
    file: 'infra/kubernetes/base/orders/serve.yaml',
    change: put('containerPort: 3001', 'containerPort: 3010'),
    expects: /Deployment\/orders-serve: port http: orders does not listen on port 3010/,
  },
  {
    does: 'a port is changed in the schema, and nowhere else',
    file: 'apps/payments/src/config.ts',
    change: put('PORT: 3002', 'PORT: 3012'),
    expects: /haproxy\.cfg: payments: payments does not listen on port 3002/,
  },
  {
    does: 'orders calls payments on a port that its Service does not have',
    file: 'infra/kubernetes/overlays/staging/orders.env',
    change: put('http://payments', 'http://payments:8080'),
    expects: /PAYMENTS_URL: payments does not answer on port 8080 there: call it on 80/,
  },
  {
    does: 'a Service leads to a port that its pods do not have',
    file: 'infra/kubernetes/base/payments/serve.yaml',
    change: put('targetPort: http', 'targetPort: api'),
    expects: /Service\/payments: its port 80 leads to "api"/,
  },
  {
    does: 'a network policy lets in a port that nobody listens on',
    file: 'infra/kubernetes/base/orders/network.yaml',
    change: put('port: 3001', 'port: 3000'),
    expects: /NetworkPolicy\/orders-ingress: orders does not listen on port 3000/,
  },
  {
    does: 'a mesh lets in a port that nobody listens on',
    file: 'infra/kubernetes/components/mesh/authorization.yaml',
    change: put("'3003'", "'3000'"),
    expects: /AuthorizationPolicy\/notifications: notifications does not listen on port 3000/,
  },
  {
    does: 'a scaler looks at a topic that the app does not consume',
    file: 'infra/kubernetes/components/keda/orders.yaml',
    change: put('topic: payments', 'topic: payment'),
    expects: /ScaledObject\/orders-consume: orders does not consume topic "payment"/,
  },
  {
    does: 'the image asks for its health where nothing answers',
    file: 'infra/docker/app.Dockerfile',
    change: put('METRICS_PORT:9464/health/ready', 'METRICS_PORT:9464/ready'),
    expects: /app\.Dockerfile: HEALTHCHECK: orders answers no probe at \/ready on port 9464/,
  },
  {
    does: 'Prometheus asks the port of the API',
    file: 'infra/observability/prometheus/prometheus.yml',
    change: put('port: 9464', 'port: 3004'),
    expects: /prometheus\.yml: cairn: worker answers nothing at \/metrics on port 3004/,
  },
  {
    does: 'a container runs an image that is of no app',
    file: 'infra/kubernetes/base/worker/consume.yaml',
    change: put('cairn/worker', 'cairn/workers'),
    expects: /Deployment\/worker-consume: there is no app "workers"/,
  },
];
