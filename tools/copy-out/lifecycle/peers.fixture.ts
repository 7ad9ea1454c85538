import 'reflect-metadata';
import { Health } from '@cairn/lifecycle';
import { HealthModule } from '@cairn/lifecycle/nest';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import assert from 'node:assert/strict';
import { test } from 'node:test';

/** The entry that needs a package of somebody else, where that is installed. */
void test('./nest answers the three questions by terminus', async () => {
  const health = new Health({ cacheMs: 0 }).add('postgres', async () => 'SELECT 1');
  let isCacheUp = true;
  const cache = () => (isCacheUp ? Promise.resolve() : Promise.reject(new Error('gone')));
  health.add('cache', cache, { critical: false });
  health.started();
  class App {}
  Module({ imports: [HealthModule.for(health)] })(App);
  const app = await NestFactory.create<NestFastifyApplication>(App, new FastifyAdapter(), { logger: false });
  await app.init();
  const ask = async (question: string) => {
    const reply = await app.inject({ url: `/health/${question}` });
    return [reply.statusCode, reply.json<{ status: string }>().status];
  };
  assert.deepEqual(await ask('live'), [200, 'ok']);
  assert.deepEqual(await ask('ready'), [200, 'ok']);
  isCacheUp = false;
  assert.deepEqual(await ask('ready'), [200, 'degraded']);
  health.drain();
  assert.equal((await ask('ready'))[0], 503);
  assert.equal((await ask('live'))[0], 200);
  await app.close();
});
