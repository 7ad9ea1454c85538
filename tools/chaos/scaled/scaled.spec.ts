import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EDGE_CONTROLS } from './edge-controls.ts';
import { edgeStats, replicasIn, unasked } from './edge-stats.ts';
import type { ScaledPhase } from './scaled-phase.ts';
import { violations } from './scaled-verdict.ts';

const config = readFileSync(join(import.meta.dirname, '../../../infra/compose/edge/haproxy.cfg'), 'utf8');

describe("the balancer's statistics", () => {
  const csv = [
    '# pxname,svname,wretr,wredis,status,lbtot,',
    'for-orders,FRONTEND,,,OPEN,,',
    'orders,orders-1,1,0,UP,7,',
    'orders,orders-2,0,0,UP 1/3,5,',
    'orders,orders-3,0,2,DOWN,1,',
    'orders,orders-4,0,0,MAINT (resolution),0,',
    'orders,orders-unasked-1,0,0,no check,3,',
    'payments,payments-1,0,0,no check,1,',
    'orders,BACKEND,1,2,UP,13,',
    '',
  ].join('\n');

  it('say who is in, what nobody was asked for, and what was sent again', () => {
    const stats = edgeStats(csv);
    expect(replicasIn(stats, 'orders')).toBe(2);
    expect(unasked(stats, 'orders')).toBe(3);
    expect(stats.retries).toEqual({ orders: { retried: 1, elsewhere: 2 } });
    expect(['payments', 'notifications'].map((name) => replicasIn(stats, name))).toEqual([1, 0]);
  });

  it('are not taken from a page that has none', () => {
    expect(() => edgeStats('<html>')).toThrow("these are not HAProxy's statistics: <html>");
  });
});

describe('a control of the balancer', () => {
  it.each(Object.entries(EDGE_CONTROLS))('%s takes a guard out that is there', (_, { change }) => {
    expect(change(config)).not.toBe(config);
    expect(change(config).split('\n').length).toBeGreaterThan(config.split('\n').length - 5);
  });

  it('leaves nothing of what it takes out', () => {
    const [retries, checks] = ['no-retries', 'no-checks'].map((name) => EDGE_CONTROLS[name]!.change(config));
    expect(retries).not.toMatch(/^ +(retry-on|option redispatch|retries [1-9])/m);
    expect(checks).not.toMatch(/^ +default-server check/m);
  });

  it('says so when the configuration has changed under it', () => {
    expect(() => EDGE_CONTROLS['no-retries']!.change('global\n')).toThrow('adapt the control');
    expect(() => EDGE_CONTROLS['no-checks']!.change('global\n')).toThrow('adapt the control');
  });
});

describe('replicas that are killed behind the balancer', () => {
  const good: ScaledPhase = {
    name: 'killed',
    requests: 900,
    failed: 0,
    ratePerS: 60,
    p50Ms: 5,
    p99Ms: 50,
    maxMs: 300,
    lateP99Ms: 2,
    byReplica: {},
    byKind: {},
    kills: [1, 2, 3].map((n) => ({ replica: `orders-${n}`, outAfterMs: 800, backAfterMs: 9000 })),
    reasons: [],
    orders: { confirmed: 100, stored: 100, missing: 0, paid: 100 },
    retried: 4,
    unready: 0,
    folder: '',
  };
  const demands = { kills: 3, leastRequests: 360 };

  it('cost nothing', () => {
    expect(violations(good, demands)).toEqual([]);
  });

  it.each<[string, Partial<ScaledPhase>]>([
    ['2 of 900 requests failed', { failed: 2 }],
    ['only 300 requests', { requests: 300 }],
    ['only 2 of 3 replicas were killed', { kills: good.kills.slice(1) }],
    ['sent nothing again', { retried: 0 }],
    ['1 are missing', { orders: { ...good.orders, stored: 99, missing: 1 } }],
    ['99 of 100 orders are paid', { orders: { ...good.orders, paid: 99 } }],
  ])('did not when %s', (sentence, change) => {
    expect(violations({ ...good, ...change }, demands)).toEqual([expect.stringContaining(sentence)]);
  });
});
