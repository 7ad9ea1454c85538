import { describe, expect, it } from '@jest/globals';
import type { App } from '../apps/app.ts';
import { appOfImage, usesInCompose } from './compose.ts';
import { usesInBalancer, usesInDockerfile, usesInParameters, usesInPrometheus } from './others.ts';

/** How files are read, on small ones. That the real ones are read: the controls of `npm run verify:infra -- cross --controls`. */
const app = (name: string, port: number): App => ({
  name,
  variables: [],
  required: [],
  secrets: [],
  refused: () => [],
  commands: [],
  port,
  managementPort: 9464,
  paths: { http: ['/health/ready', `/api/v1/${name}`], management: [] },
  api: [`/api/v1/${name}`],
  subscriptions: [],
});
const apps = [app('orders', 3001), app('payments', 3002)];

describe('compose', () => {
  it('is read with its anchors and defaults', () => {
    const yaml = `x-app: &app { image: cairn/orders, environment: { LOG_LEVEL: '\${LEVEL:-info}' } }
services: { seed: { <<: *app, command: [seed], ports: ['127.0.0.1:13001:3001'] }, db: { image: 'postgres:18' } }`;
    const at = 'c.yml: seed';
    expect(usesInCompose('c.yml', yaml, apps)).toEqual([
      { at, app: 'orders', what: 'environment', values: { LOG_LEVEL: 'info' }, elsewhere: [] },
      { at, app: 'orders', what: 'command', command: 'seed' },
      { at, app: 'orders', what: 'port', port: 3001, server: 'any' },
    ]);
  });

  it.each([
    ['cairn/orders', 'orders'],
    ['registry.example:5000/team/cairn/orders@sha256:0', 'orders'],
    ['cairn/simulators', undefined],
    ['postgres:18', undefined],
  ])('knows whose image %s is', (image, name) => {
    expect(appOfImage(image, ['simulators'])).toBe(name);
  });
});

describe('the others', () => {
  it('the Dockerfile speaks for every app', () => {
    const stage =
      'FROM x AS app\nENV NODE_ENV=production\nEXPOSE 9464\nHEALTHCHECK CMD ["node", "h.cjs", "METRICS_PORT:9464/health/ready"]\nCMD ["all"]\n';
    const uses = usesInDockerfile('D', stage, apps).filter((use) => use.app === 'payments');
    expect(uses.map(({ at: _at, app: _app, ...use }) => Object.values(use))).toEqual([
      ['command', 'all'],
      ['port', 9464, 'any'],
      ['variable', 'NODE_ENV'],
      ['variable', 'METRICS_PORT'],
      ['probe', '/health/ready', 9464],
    ]);
  });

  it('Prometheus finds replicas by name or by DNS, and has to find every app', () => {
    const yaml = `scrape_configs: [{ job_name: cairn, dns_sd_configs: [{ names: [orders], port: 9464 }] }]`;
    const { uses, problems } = usesInPrometheus('p.yml', yaml, apps);
    expect(uses).toMatchObject([{ app: 'orders', path: '/metrics', port: 9464 }]);
    expect(problems).toEqual(['p.yml: nobody asks payments: add the target payments:9464']);
  });

  it('the balancer asks every replica whether it is ready', () => {
    const config =
      '    http-check send meth GET uri /health/ready ver HTTP/1.1\n' +
      '    server-template orders- 8 orders:3001\n' +
      '    server-template orders-unasked- 8 orders-unasked:3002 backup\n';
    expect(usesInBalancer('h.cfg', config)).toMatchObject([
      { app: 'orders', port: 3001, server: 'http' },
      { app: 'orders', path: '/health/ready', port: 3001 },
      { app: 'orders', port: 3002, server: 'http' },
      { app: 'orders', path: '/health/ready', port: 3002 },
    ]);
  });

  it('parameters name the variables that an app is given', () => {
    expect(usesInParameters('p.json', '[{"Name":"/cairn/orders/PORT"}]', 'orders')).toMatchObject([
      { app: 'orders', elsewhere: ['PORT'] },
    ]);
  });
});
