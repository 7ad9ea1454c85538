import { Controller, Get, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type tls from 'node:tls';
import { createHttpApp } from '../index.ts';
import { Authority, IdentityFiles, type Issue } from '../testing/index.ts';
import { Identity, mutualFetch, type Refusal } from './index.ts';

/** Servers and clients that are real: TLS on loopback, Nest, Fastify, undici, files. The certificates are made here. */
export const ours = new Authority('Ours');
export const theirs = new Authority('Theirs');
export const HOST = '127.0.0.1';
export const SERVER: Issue = { names: [HOST, 'payments.shop'] };
export const CLIENT: Issue = { names: ['orders.shop'] };
export const EXPIRED = { from: new Date(Date.now() - 2000), to: new Date(Date.now() - 1000) };

@Controller()
class Ok {
  @Get('ok') ok() {
    return { ok: true };
  }
}
class App {}
Module({ controllers: [Ok] })(App);

/** What a test has begun, ended by `endAll` after it. */
const ends: (() => unknown)[] = [];
export async function endAll(): Promise<void> {
  for (const end of ends.splice(0).reverse()) await end();
}
export const afterwards = (end: () => unknown) => void ends.push(end);

export function filesOf(issue: Issue, authority = ours): IdentityFiles {
  const files = new IdentityFiles(authority, issue);
  ends.push(() => files.remove());
  return files;
}

type Served = { port: number; refusals: Refusal[]; files: IdentityFiles; app: NestFastifyApplication };

export async function serve(options: { allowedClients?: string[]; pollMs?: number } = {}): Promise<Served> {
  const files = filesOf(SERVER);
  const identity = new Identity(files, options);
  ends.push(identity.watch());
  const refusals: Refusal[] = [];
  const logger = { log: () => {}, warn: () => {}, error: () => {} };
  const app = await createHttpApp(App, {
    logger,
    onError: () => {},
    tls: { identity, ...options, onRefused: (refusal) => refusals.push(refusal) },
  });
  await app.listen(0, HOST);
  ends.push(() => app.close());
  return { port: (app.getHttpServer().address() as AddressInfo).port, refusals, files, app };
}

/** A client of the house. */
export function clientOf({ pollMs }: { pollMs?: number } = {}) {
  const files = filesOf(CLIENT);
  const identity = new Identity(files, { pollMs });
  ends.push(identity.watch());
  return { files, identity, fetch: mutualFetch(identity) };
}

export type Shown = Partial<{ cert: string; key: string; ca: string; maxVersion: 'TLSv1.2' }>;
export const shown = (issue = CLIENT, authority = ours): Shown => ({
  ...authority.issue(issue),
  ca: ours.cert,
});

/** The status, or why there is none, on a connection of its own. */
export function ask(port: number, options: Shown): Promise<number | string> {
  return new Promise((resolve) => {
    https
      .get({ host: HOST, port, path: '/ok', agent: false, ...options }, (reply) => {
        reply.resume().on('end', () => resolve(reply.statusCode!));
      })
      .on('error', (error: NodeJS.ErrnoException) => resolve(error.code!));
  });
}

/** The same, resuming a session; gives the one to resume next. */
export async function resume(port: number, options: Shown & { session?: Buffer | undefined }) {
  let [session, isReused]: [Buffer | undefined, boolean] = [undefined, false];
  const agent = new https.Agent({ keepAlive: false });
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (...args) => {
    const socket = connect(...args) as tls.TLSSocket;
    socket.on('session', (ticket: Buffer) => (session = ticket));
    socket.on('secureConnect', () => (isReused = socket.isSessionReused()));
    return socket;
  };
  const seen = await ask(port, { ...options, agent } as Shown);
  return { seen, session, isReused };
}

/** Asks again until it is so; gives what it was at last when it takes too long. */
export async function until<T>(read: () => T | Promise<T>, isSo: (value: T) => boolean): Promise<T> {
  for (const over = performance.now() + 4000; ;) {
    const value = await read();
    if (isSo(value) || performance.now() > over) return value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export function problemAt(options: https.RequestOptions): Promise<{ type: unknown; body: unknown }> {
  return new Promise((resolve, reject) => {
    https
      .get(options, async (reply) => {
        const chunks: Buffer[] = await reply.toArray();
        const body = JSON.parse(Buffer.concat(chunks).toString()) as unknown;
        resolve({ type: reply.headers['content-type']?.split(';')[0], body });
      })
      .on('error', reject);
  });
}
