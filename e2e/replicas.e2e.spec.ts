import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Broker } from '@cairn/messaging/kafkajs';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { waitFor } from '@cairn/tools/demo/wait.ts';
import { databaseUrl, startApp } from '@cairn/tools/local/apps.ts';
import type { Child } from '@cairn/tools/stack/child.ts';
import { freePorts } from '@cairn/tools/stack/ports.ts';
import { DRAFT, orderReaches, startSystem, type System } from './system.ts';

/** Two replicas of orders and of the scheduler: no state in a process, no leader. */
let system: System;
const replicas: Child[] = [];
let secondOrders: string;

beforeAll(async () => {
  system = await startSystem({ EXPIRE_UNPAID_ORDERS: '* * * * * *' });
  const [orders, scheduler] = await freePorts(2);
  secondOrders = `http://127.0.0.1:${orders}`;
  const second = (app: 'orders' | 'scheduler', port: number) =>
    startApp(app, { ...system.launch, port, replica: '2' });
  replicas.push(...(await Promise.all([second('orders', orders!), second('scheduler', scheduler!)])));
}, 60_000);

afterAll(async () => {
  await Promise.all(replicas.map((child) => child.stop()));
  await system?.stop();
});

describe('two replicas', () => {
  it('of orders: a draft saved on one is confirmed on the other, and read on both', async () => {
    const shop = await system.customer();
    const draftId = randomUUID();
    await shop.saveDraft(draftId, DRAFT);
    const { id } = await shop.confirm(draftId, 'tok_visa', randomUUID(), secondOrders);
    await orderReaches(shop, id, 'paid');
  }, 30_000);

  it('of orders: one order comes of a draft that both confirm at once', async () => {
    const shop = await system.customer();
    const draftId = randomUUID();
    await shop.saveDraft(draftId, DRAFT);
    const results = await Promise.allSettled([
      shop.confirm(draftId, 'tok_visa', randomUUID()),
      shop.confirm(draftId, 'tok_visa', randomUUID(), secondOrders),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { status: 409 } });
  }, 30_000);

  it('of the scheduler: each tick is announced once, and goes on being so when one of them leaves', async () => {
    const announced: string[] = [];
    const broker = new Broker({ brokers: system.places.brokers, clientId: 'test' });
    const consumer = broker.consumer({
      groupId: `test-${randomUUID()}`,
      handlers: {
        jobs: {
          'job.due.v1': async ({ data }) => {
            const { job, tick } = data as { job: string; tick: string };
            announced.push(`${job} ${tick}`);
          },
        },
      },
    });
    consumer.start();
    const db = new pg.Client({ connectionString: databaseUrl(process.env['POSTGRES_URL']!, 'scheduler') });
    await db.connect();
    const ticksSince = async (since: Date) => {
      const { rows } = await db.query<{ job: string; tick: Date }>(
        `SELECT job, tick FROM job_run WHERE job = 'expire-unpaid-orders' AND tick > $1`,
        [since],
      );
      return rows.map(({ job, tick }) => `${job} ${tick.toISOString()}`);
    };
    const fiveTicks = (since: Date) =>
      waitFor('five ticks', async () => {
        const ticks = await ticksSince(since);
        return ticks.length >= 5 ? ticks : undefined;
      });
    try {
      const withBoth = await fiveTicks(new Date());
      await system.world.running.get('scheduler')!.stop();
      const withOne = await fiveTicks(new Date());
      const ticks = [...withBoth, ...withOne];
      await waitFor(
        'the announcements',
        async () => ticks.every((tick) => announced.includes(tick)) || undefined,
      );
      for (const tick of ticks) expect(announced.filter((one) => one === tick)).toHaveLength(1);
    } finally {
      await db.end();
      await consumer.stop();
      await broker.close();
    }
  }, 90_000);
});
