import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { DatabaseProbe } from './database.probe.ts';

/** Real: PostgreSQL. A bare socket stands in for one that accepts and says nothing. */
const url = process.env['POSTGRES_URL'] ?? '';
const probes: DatabaseProbe[] = [];
const probeOf = (to: string) => {
  const probe = new DatabaseProbe(to, 'probe-spec');
  probes.push(probe);
  return probe;
};
const soon = () => AbortSignal.timeout(5000);

afterEach(() => probes.splice(0).forEach((probe) => probe.close()));

describe('the probe of a database', () => {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  let silent: Server;
  const sockets = new Set<Socket>();

  beforeAll(async () => {
    silent = createServer((socket) => sockets.add(socket));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    sockets.forEach((socket) => socket.destroy());
    silent.close();
    await pool.end();
  });

  it('is answered while every connection of the pool is in use', async () => {
    const busy = await pool.connect();
    const queued = pool.query('SELECT 1');
    await expect(probeOf(url).ask(soon())).resolves.toBeUndefined();
    expect(pool.waitingCount).toBe(1);
    busy.release();
    await queued;
  });

  it('keeps one connection, and gets a new one when that was cut', async () => {
    const probe = probeOf(url);
    const connections = async () =>
      (
        await pool.query<{ pid: number }>(
          "SELECT pid FROM pg_stat_activity WHERE application_name = 'probe-spec probe'",
        )
      ).rows.map(({ pid }) => pid);
    await probe.ask(soon());
    await probe.ask(soon());
    const [first, ...more] = await connections();
    expect(more).toEqual([]);
    await pool.query('SELECT pg_terminate_backend($1)', [first]);
    await expect(probe.ask(soon())).rejects.toThrow();
    await probe.ask(soon());
    expect(await connections()).not.toContain(first);
  });

  it('lets go of a server that accepts and says nothing as soon as its time is over', async () => {
    const { port } = silent.address() as AddressInfo;
    const over = new AbortController();
    const asked = probeOf(`postgres://nobody:x@127.0.0.1:${port}/none`).ask(over.signal);
    asked.catch(() => undefined);
    const { promise: accepted, resolve } = Promise.withResolvers<Socket>();
    silent.once('connection', resolve);
    const socket = [...sockets][0] ?? (await accepted);
    const closed = new Promise((done) => socket.once('close', done));
    socket.resume();
    over.abort();
    await closed;
    await expect(asked).rejects.toThrow();
  });

  it('rejects when nobody listens', async () => {
    await expect(probeOf('postgres://nobody:x@127.0.0.1:1/none').ask(soon())).rejects.toThrow('ECONNREFUSED');
  });
});
