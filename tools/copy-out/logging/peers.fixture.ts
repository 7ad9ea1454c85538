import 'reflect-metadata';
import { createLogger, httpHooks } from '@cairn/logging';
import { nestLogger } from '@cairn/logging/nest';
import { Logger as NestLogger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import fastify from 'fastify';
import assert from 'node:assert/strict';
import { test } from 'node:test';

/** What goes with a package of somebody else, where that is installed. */
function aLogger() {
  const lines: Record<string, unknown>[] = [];
  const destination = {
    write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  };
  return { lines, logger: createLogger({ service: 'shop', level: 'debug', destination }) };
}

void test('./nest writes what Nest says as lines of ours', async () => {
  const { lines, logger } = aLogger();
  class App {}
  Module({})(App);
  const app = await NestFactory.createApplicationContext(App, { logger: nestLogger(logger) });
  new NestLogger('Cart').warn('nearly full');
  await app.close();
  assert.ok(lines.some(({ severity, msg }) => severity === 'warn' && msg === 'nearly full'));
  assert.ok(lines.every((line) => line['service.name'] === 'shop'));
});

void test('hooks of Fastify echo the correlation id and write a line per request', async () => {
  const { lines, logger } = aLogger();
  const server = fastify();
  httpHooks(server, logger);
  server.get('/carts/:id', async () => 'full');
  const headers = { 'x-correlation-id': 'checkout-42' };
  const reply = await server.inject({ url: '/carts/7', headers });
  await server.close();
  assert.equal(reply.headers['x-correlation-id'], 'checkout-42');
  const line = lines.find((each) => JSON.stringify(each).includes('/carts/:id'));
  assert.equal(line?.['correlation_id'], 'checkout-42');
});

void test('pretty is for people', () => {
  assert.doesNotThrow(() => createLogger({ service: 'shop', format: 'pretty' }));
});
