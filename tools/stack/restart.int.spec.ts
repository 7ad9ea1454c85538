import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { rmSync } from 'node:fs';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import { Proxy } from '../chaos/wire/proxy.ts';
import { stackDir } from './paths.ts';
import { freePorts } from './ports.ts';
import { commandOf, descendants, processRows } from './processes.ts';
import { startStack, type Stack } from './stack.ts';

/** Real engines on free ports, ended and started again; Kafka has a second door behind a proxy. */
const name = `restart-${process.pid}`;
const env = { PATH: process.env['PATH'], HOME: process.env['HOME'] };
// An engine comes back when it does; on a machine that is busy with other tests that takes its time.
jest.setTimeout(60_000);
let stack: Stack;
let proxy: Proxy;
const gone: string[] = [];

beforeAll(async () => {
  const [port = 0] = await freePorts(1);
  proxy = new Proxy({ host: '127.0.0.1', port });
  await proxy.pass();
  const kafkaListeners = [{ name: 'PROXY', port, advertisedPort: proxy.port }];
  stack = await startStack({ name, ports: 'free', env, kafkaListeners });
  stack.onEngineGone((engine) => gone.push(engine.name));
}, 600_000);
afterAll(async () => {
  await stack?.stop();
  await proxy?.refuse();
  rmSync(stackDir(name), { recursive: true, force: true });
}, 30_000);

async function query(sql: string): Promise<unknown[]> {
  const client = new pg.Client(stack.env['POSTGRES_URL']);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

function kafka(broker: string) {
  const client = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING, retry: { retries: 1 } });
  return client.admin();
}

async function topics(broker: string): Promise<string[]> {
  const admin = kafka(broker);
  await admin.connect();
  return admin.listTopics().finally(() => admin.disconnect());
}

describe('an engine that is ended on purpose', () => {
  it.each(['kill', 'stop'] as const)('by %s is back on its port with its data: PostgreSQL', async (end) => {
    await query(`CREATE TABLE told_${end} AS SELECT 1 AS one`);
    const postgres = stack.engine('postgres');
    const before = descendants(processRows(), postgres.pid!);
    expect(before.length).toBeGreaterThan(3);
    await postgres[end]();
    // A backend that outlived its server would write beside the next one.
    expect(before.filter((pid) => commandOf(pid).includes('postgres'))).toEqual([]);
    await expect(query('SELECT 1')).rejects.toThrow('ECONNREFUSED');
    await postgres.start();
    expect(await query(`SELECT one FROM told_${end}`)).toEqual([{ one: 1 }]);
    expect(stack.engines.find((engine) => engine.name === 'postgres')?.pid).toBe(postgres.pid);
  });

  it.each(['kill', 'stop'] as const)('by %s is back on its port with its data: Kafka', async (end) => {
    const admin = kafka(stack.env['KAFKA_BROKERS']!);
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: `told-${end}`, numPartitions: 1 }] });
    await admin.disconnect();
    await stack.engine('kafka')[end]();
    await stack.engine('kafka').start();
    expect(await topics(stack.env['KAFKA_BROKERS']!)).toContain(`told-${end}`);
  });

  it('is not told as gone, and one that ends by itself afterwards is', async () => {
    expect(gone).toEqual([]);
    const redis = stack.engine('redis');
    await redis.kill();
    await redis.start();
    await redis.start(); // runs already
    expect(gone).toEqual([]);
    process.kill(redis.pid!, 'SIGKILL');
    while (gone.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(gone).toEqual(['redis']);
  });
});

describe('a second listener of Kafka', () => {
  it('leads every connection of a client through its proxy', async () => {
    await topics(`127.0.0.1:${proxy.port}`);
    await proxy.refuse();
    await expect(topics(`127.0.0.1:${proxy.port}`)).rejects.toThrow('ECONNREFUSED');
    await proxy.pass();
    const admin = kafka(`127.0.0.1:${proxy.port}`);
    await admin.connect();
    const { brokers } = await admin.describeCluster();
    expect(brokers.map(({ port }) => port)).toEqual([proxy.port]);
    await admin.fetchOffsets({ groupId: 'anybody' }); // asks the coordinator, at its advertised address
    const before = proxy.connections;
    expect(before).toBeGreaterThan(0);
    await admin.disconnect();
  });
});
