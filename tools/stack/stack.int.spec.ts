import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import { readLedger, type Adopted } from './guard.ts';
import { ledgerFile, repoRoot, stackDir } from './paths.ts';
import { commandOf, isSame, processRows } from './processes.ts';
import { startStack, type Engine, type EngineName, type Stack } from './stack.ts';
import { eventually } from './testing.ts';

/** Real engines, on free ports, beside whatever else runs. The first run ever builds the S3 server: minutes. */
const name = `int-${process.pid}`;
const installMs = 600_000;
let stack: Stack;

// The tests of this file are one story; URLs of engines in the tester's environment have no part in it.
const env = { PATH: process.env['PATH'], HOME: process.env['HOME'] };
const start = () => startStack({ name, ports: 'free', env });
const pidOf = (engine: EngineName) => stack.engines.find((one) => one.name === engine)?.pid ?? 0;
const url = (key: string) => stack.env[key] ?? '';

beforeAll(async () => {
  stack = await start();
}, installMs);
afterAll(async () => {
  await stack?.stop();
  rmSync(stackDir(name), { recursive: true, force: true });
}, 30_000);

function s3(secretAccessKey = url('S3_SECRET_ACCESS_KEY')): S3Client {
  const credentials = { accessKeyId: url('S3_ACCESS_KEY_ID'), secretAccessKey };
  return new S3Client({
    endpoint: url('S3_ENDPOINT'),
    region: url('S3_REGION'),
    forcePathStyle: true,
    maxAttempts: 1,
    credentials,
  });
}

async function put(client: S3Client, key: string): Promise<number> {
  const command = new PutObjectCommand({ Bucket: 'stack-test', Key: key, Body: 'receipt', IfNoneMatch: '*' });
  const answer = await client
    .send(command)
    .catch((error: { $metadata: { httpStatusCode: number } }) => error);
  return answer.$metadata.httpStatusCode ?? 0;
}

/** A mail by hand: a line is sent for every reply, as SMTP wants it. */
function mail(subject: string): Promise<void> {
  const { hostname, port } = new URL(url('SMTP_URL'));
  const message = `Subject: ${subject}\r\n\r\nHello\r\n.`;
  const lines = [
    'HELO test',
    'MAIL FROM:<a@example.com>',
    'RCPT TO:<b@example.com>',
    'DATA',
    message,
    'QUIT',
  ];
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    socket.on('data', () => {
      const next = lines.shift();
      if (next === undefined) socket.end();
      else socket.write(`${next}\r\n`);
    });
    socket.once('error', reject);
    socket.once('close', () => resolve());
  });
}

describe('a stack on free ports', () => {
  it('has a PostgreSQL 18 with durable commits', async () => {
    const client = new pg.Client(url('POSTGRES_URL'));
    await client.connect();
    const { rows } = await client.query(
      "SELECT current_setting('server_version') v, current_setting('fsync') f",
    );
    await client.end();
    expect(rows[0]).toEqual({ v: expect.stringMatching(/^18\./), f: 'on' });
  });

  it('has a Kafka that kafkajs can create topics on, produce to and consume from', async () => {
    const kafka = new Kafka({ brokers: url('KAFKA_BROKERS').split(','), logLevel: logLevel.NOTHING });
    const [admin, producer, consumer] = [kafka.admin(), kafka.producer(), kafka.consumer({ groupId: 'g' })];
    await Promise.all([admin.connect(), producer.connect(), consumer.connect()]);
    await admin.createTopics({ topics: [{ topic: 't', numPartitions: 2 }], waitForLeaders: true });
    await producer.send({ topic: 't', messages: [{ key: 'k', value: 'order' }] });
    await consumer.subscribe({ topics: ['t'], fromBeginning: true });
    const received = new Promise((resolve) => {
      void consumer.run({ eachMessage: async ({ message }) => resolve(message.value?.toString()) });
    });
    expect(await received).toBe('order');
    await Promise.all([consumer.disconnect(), producer.disconnect(), admin.disconnect()]);
  }, 30_000);

  it('has an S3 server that refuses a bad secret', async () => {
    await s3().send(new CreateBucketCommand({ Bucket: 'stack-test' }));
    expect(await put(s3('guessed'), 'forged.pdf')).toBe(403);
    expect((await fetch(`${url('S3_ENDPOINT')}/stack-test/forged.pdf`)).status).toBe(403);
  });

  it('has an S3 server that lets exactly one of 20 conditional writes win, and none later', async () => {
    const client = s3();
    const answers = await Promise.all(Array.from({ length: 20 }, () => put(client, 'receipt.pdf')));
    expect(answers.toSorted()).toEqual([200, ...Array<number>(19).fill(412)]);
    expect(await put(client, 'receipt.pdf')).toBe(412);
  });

  it('has a mailbox with an API and a page', async () => {
    await mail('Your receipt');
    const web = url('MAIL_WEB_URL');
    await eventually(async () => (await (await fetch(`${web}/api/email`)).text()).includes('Your receipt'));
    expect((await fetch(`${web}/index.html`)).status).toBe(200);
  });

  it('tells the memory of each engine', async () => {
    const memory = await stack.memory();
    expect(memory.map((one) => one.name)).toEqual(['postgres', 'redis', 'kafka', 's3', 'smtp']);
    for (const { rssBytes } of memory) expect(rssBytes).toBeGreaterThan(1e6);
  });

  it('refuses a second of the same name, and says who runs the first', async () => {
    await expect(start()).rejects.toThrow(`The stack "${name}" is already run by pid ${process.pid}`);
  });

  it('attaches a URL of the environment, or says which variable leads nowhere', async () => {
    const env = { PATH: process.env['PATH'], CAIRN_ENGINES: 'native' };
    const other = `${name}-attached`;
    const nowhere = startStack({
      name: other,
      ports: 'free',
      env: { ...env, REDIS_URL: 'redis://127.0.0.1:1' },
    });
    await expect(nowhere).rejects.toThrow(
      'REDIS_URL=redis://127.0.0.1:1 is set, but nothing answers at 127.0.0.1:1',
    );
    const second = await startStack({ name: other, ports: 'free', env: { ...env, ...stack.env } });
    expect(new Set(second.engines.map((one) => one.how))).toEqual(new Set(['attached']));
    await second.stop();
    rmSync(stackDir(other), { recursive: true, force: true });
    const client = new pg.Client(url('POSTGRES_URL'));
    await client.connect(); // what was only attached still runs
    await client.end();
  });

  it('names the engine that is killed with -9, once', async () => {
    const gone: [Engine, string][] = [];
    stack.onEngineGone((engine, reason) => gone.push([engine, reason]));
    const pid = pidOf('redis');
    process.kill(pid, 'SIGKILL');
    await eventually(() => gone.length > 0);
    expect(gone[0]?.[0].name).toBe('redis');
    expect(gone[0]?.[1]).toBe(`its process (pid ${pid}) ended: signal SIGKILL`);
    const ours = readLedger(ledgerFile(name));
    expect(ours.length).toBeGreaterThan(0);
    await stack.stop();
    expect(ours.filter(isSame)).toEqual([]);
    expect(gone).toHaveLength(1);
  }, 30_000);
});

describe('a stack whose holder was killed with -9', () => {
  /** Another process holds the stack; answers when it says that all is up. */
  async function holder() {
    const args = [join(repoRoot, 'tools/stack/main.ts'), 'up', '--name', name];
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface(child.stdout)) if (line.includes('Ctrl-C')) break;
    return child;
  }

  const guardsOf = (parent: number) =>
    processRows()
      .filter((row) => row.parent === parent && commandOf(row.pid).includes('guard.sh'))
      .map((row) => row.pid);

  async function kill(child: Awaited<ReturnType<typeof holder>>): Promise<void> {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  it('leaves no process behind', async () => {
    const child = await holder();
    const engines = readLedger(ledgerFile(name));
    expect(engines.map((one: Adopted) => one.name).toSorted()).toEqual([
      'kafka',
      'postgres',
      'redis',
      's3',
      'smtp',
    ]);
    expect(engines.every(isSame)).toBe(true);
    await kill(child);
    await eventually(() => !engines.some(isSame));
  }, 60_000);

  it('starts again, with its data, even when the guard was killed too and orphans are left', async () => {
    const child = await holder();
    const engines = readLedger(ledgerFile(name));
    for (const pid of guardsOf(child.pid ?? 0)) process.kill(pid, 'SIGKILL');
    await kill(child);
    expect(engines.filter(isSame)).not.toEqual([]);

    stack = await start();
    expect(engines.filter(isSame)).toEqual([]);
    expect(await put(s3(), 'receipt.pdf')).toBe(412); // written before all this
  }, 60_000);
});
