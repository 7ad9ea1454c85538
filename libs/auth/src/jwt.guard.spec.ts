import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, SetMetadata } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Customer, JwtGuard, PUBLIC } from './index.ts';

// Real: Nest and Fastify. The verifier is given.
@Controller('orders')
class Orders {
  @Get()
  mine(@Customer() customer: string) {
    return { customer };
  }

  @Get('catalogue')
  @SetMetadata(PUBLIC, true)
  catalogue() {
    return { open: true };
  }

  @Get('half')
  @SetMetadata(PUBLIC, 'true')
  half() {
    return { open: true };
  }
}

@Controller('health')
@SetMetadata(PUBLIC, true)
class Probes {
  @Get('live')
  live() {
    return { open: true };
  }

  @Get('secret')
  @SetMetadata(PUBLIC, false)
  secret() {
    return { open: true };
  }
}

let app: NestFastifyApplication;

async function answerTo(url: string, authorization?: string) {
  const guard = new JwtGuard(async (token) => (token === 'a.b.c' ? { sub: 'alice' } : { refused: 'no' }));
  class App {}
  Module({ controllers: [Orders, Probes], providers: [{ provide: APP_GUARD, useValue: guard }] })(App);
  app = await NestFactory.create<NestFastifyApplication>(App, new FastifyAdapter(), { logger: false });
  await app.init();
  const { statusCode, body } = await app.inject({
    url,
    headers: { ...(authorization && { authorization }) },
  });
  return { statusCode, body };
}

afterEach(() => app.close());

describe('JwtGuard', () => {
  it('lets a valid token in, whose subject is the customer', async () => {
    expect(await answerTo('/orders', 'Bearer a.b.c')).toEqual({
      statusCode: 200,
      body: '{"customer":"alice"}',
    });
  });

  it.each(['/orders', '/orders/half', '/health/secret'])('asks %s for a token', async (url) => {
    // Nest knows no kind of error of ours: what is not let in is a 500 here, and a 401 behind libs/http's filter.
    expect((await answerTo(url)).statusCode).toBe(500);
  });

  it.each(['/health/live', '/orders/catalogue'])('asks %s, which is public, for none', async (url) => {
    expect(await answerTo(url)).toEqual({ statusCode: 200, body: '{"open":true}' });
  });
});
