import { describe, expect, it } from '@jest/globals';
import { podOf, type Probe, type ProbeKind } from './manifest.ts';
import { answered, asks, newWorker, restarted } from './worker.ts';

const probe = (times: Partial<Probe> = {}): Probe => ({
  ...{ path: '/', port: 'http', initialDelaySeconds: 0, periodSeconds: 10, timeoutSeconds: 1 },
  ...{ successThreshold: 1, failureThreshold: 3, ...times },
});
/** The verdict after these results: `.` a success, `x` a failure. */
const after = (kind: ProbeKind, results: string, times?: Partial<Probe>) =>
  [...results].reduce((worker, result) => answered(worker, result === '.'), newWorker(kind, probe(times)));

describe('a worker', () => {
  it.each([
    ['startup', 'unknown'],
    ['liveness', 'success'],
    ['readiness', 'failure'],
  ] as const)('of %s begins with %s', (kind, verdict) => {
    expect(newWorker(kind, probe()).verdict).toBe(verdict);
  });

  it('fails after failureThreshold failures in a row, and not before', () => {
    expect(after('liveness', 'xx').verdict).toBe('success');
    expect(after('liveness', 'xx.xx').verdict).toBe('success');
    expect(after('liveness', 'xx.xxx')).toMatchObject({ verdict: 'failure', onHold: true });
  });

  it('succeeds after successThreshold successes in a row', () => {
    expect(after('readiness', '.x.', { successThreshold: 2 }).verdict).toBe('failure');
    expect(after('readiness', '.x..', { successThreshold: 2 }).verdict).toBe('success');
  });

  it('of readiness is never on hold: it comes back', () => {
    expect(after('readiness', '.xxx')).toMatchObject({ verdict: 'failure', onHold: false });
    expect(after('readiness', '.xxx.').verdict).toBe('success');
  });

  it('asks nothing on hold until there is a new container', () => {
    const failed = after('liveness', 'xxx');
    expect(asks(failed, 60_000, true)).toBe(false);
    expect(asks(restarted(failed), 60_000, true)).toBe(true);
    expect(restarted(failed).verdict).toBe('success');
  });

  it('of start-up asks until start-up is over, the others from then on', () => {
    expect(asks(newWorker('startup', probe()), 0, false)).toBe(true);
    expect(asks(newWorker('startup', probe()), 0, true)).toBe(false);
    expect(asks(newWorker('liveness', probe()), 60_000, false)).toBe(false);
    expect(asks(newWorker('readiness', probe()), 60_000, true)).toBe(true);
  });

  it('waits initialDelaySeconds, counted in whole seconds', () => {
    const worker = newWorker('liveness', probe({ initialDelaySeconds: 5 }));
    expect(asks(worker, 4999, true)).toBe(false);
    expect(asks(worker, 5000, true)).toBe(true);
  });
});

describe('podOf', () => {
  const deployment = (container: string) =>
    `kind: Deployment\nspec: { template: { spec: { containers: [{ ${container} }] } } }`;

  it("fills in Kubernetes' defaults", () => {
    expect(podOf(deployment('livenessProbe: { httpGet: { path: /live, port: 80 } }'))).toEqual({
      probes: { liveness: { ...probe(), path: '/live', port: 80 } },
      terminationGracePeriodSeconds: 30,
    });
  });

  it('refuses what it would get wrong', () => {
    expect(() => podOf(deployment('livenessProbe: { exec: {} }'))).toThrow(
      'the liveness probe is not by HTTP',
    );
    expect(() => podOf(deployment('}, {'))).toThrow('expected one container, got 2');
    expect(() => podOf('kind: StatefulSet')).toThrow('expected a Deployment, got a StatefulSet');
  });
});
