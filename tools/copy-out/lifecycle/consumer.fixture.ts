import {
  BackingServices,
  Health,
  poolSize,
  prestop,
  runService,
  type HealthReport,
  type Limits,
} from '@cairn/lifecycle';

/** Compiled by strangers, under their own options. */
const health = new Health({ timeoutMs: 50 });
const services = new BackingServices().attach('postgres', {
  connect: async () => {},
  disconnect: async () => {},
  check: async () => {},
});
services.register(health);
const limits: Limits = { memoryBytes: 2 ** 28, cpus: 0.5, source: 'cgroup v2' };

export const connections: number = poolSize(limits, { max: 10 });
export const report: Promise<HealthReport> = health.ready();
export const leave = prestop({ health, drainMs: 10 });
export const run = (): Promise<void> =>
  runService({ health, services, listen: () => {}, close: () => {}, drainMs: 10 });

// @ts-expect-error A range has numbers: it would compile if the types were not found.
poolSize(limits, { max: 'ten' });
