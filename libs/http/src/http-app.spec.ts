import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Module, Param, Post } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { z } from 'zod';
import { createHttpApp } from './index.ts';

// Real: Nest and Fastify. Requests are injected.
const ID = '0194f0a0-0000-7000-8000-000000000002';
const body = z.strictObject({ quantity: z.number() });

@Controller('orders')
class Orders {
  @Get(':id')
  get(@Param('id') id: string) {
    if (id === ID) throw Object.assign(new Error('at db-7.internal'), { code: 'ECONNREFUSED' });
    if (id === 'busy') {
      const busy = { code: 'key_in_flight', kind: 'conflict', retryAfterS: 1 };
      throw Object.assign(new Error('The key is in flight.'), busy);
    }
    throw Object.assign(new Error(`No order ${id}.`), { code: 'order_not_found', kind: 'not_found' });
  }

  @Post()
  add(@Body({ schema: body }) order: z.infer<typeof body>) {
    return order;
  }
}

class App {}
Module({ controllers: [Orders] })(App);

let app: NestFastifyApplication;
const reported: unknown[] = [];
const logger = { log: () => {}, warn: () => {}, error: () => {} };

beforeAll(async () => {
  app = await createHttpApp(App, {
    logger,
    onError: (error) => reported.push(error),
    redact: (text) => text.replaceAll('canary', '[Redacted]'),
    bodyLimitBytes: 1000,
  });
  await app.init();
});
afterAll(() => app.close());

const json = { 'content-type': 'application/json' };

describe('an error that knows when to come back', () => {
  it('says when to come back where an error knows it', async () => {
    const { statusCode, headers } = await app.inject('/orders/busy');
    expect([statusCode, headers['retry-after']]).toEqual([409, '1']);
    expect((await app.inject('/orders/1')).headers).not.toHaveProperty('retry-after');
  });
});

describe('a service whose database is away', () => {
  it('says 503 and when to come back, and reports why', async () => {
    const { statusCode, headers, body } = await app.inject({ url: `/orders/${ID}?token=canary` });
    expect(statusCode).toBe(503);
    expect(headers['retry-after']).toBe('5');
    expect(JSON.parse(body)).toMatchObject({ code: 'dependency_unavailable', instance: `/orders/${ID}` });
    expect(body).not.toContain('db-7');
    expect(reported).toMatchObject([{ code: 'ECONNREFUSED' }]);
  });
});

describe('what a caller sent by mistake', () => {
  it.each([
    ['in the path of a route', { url: '/orders/canary' }, 404],
    ['in a path that is not there', { url: '/nowhere/canary?password=canary' }, 404],
    ['in a path that is not well formed', { url: '/orders/canary%zz' }, 400],
    ['as a method', { method: 'PUT' as const, url: '/orders/canary' }, 404],
    [
      'in JSON that is none',
      { method: 'POST' as const, url: '/orders', headers: json, payload: 'canary' },
      400,
    ],
    [
      'in the name of a field',
      { method: 'POST' as const, url: '/orders', headers: json, payload: '{"canary":1}' },
      400,
    ],
    [
      'in a content type',
      { method: 'POST' as const, url: '/orders', headers: { 'content-type': 'text/canary' }, payload: 'x' },
      415,
    ],
    [
      'in a body that is too large',
      { method: 'POST' as const, url: '/orders', headers: json, payload: `"${'canary'.repeat(200)}"` },
      413,
    ],
  ])('is not sent back: %s', async (_, request, status) => {
    const { statusCode, headers, body } = await app.inject(request);
    expect(statusCode).toBe(status);
    expect(headers['content-type']).toContain('problem+json');
    expect(`${JSON.stringify(headers)} ${body}`).not.toContain('canary');
  });
});
