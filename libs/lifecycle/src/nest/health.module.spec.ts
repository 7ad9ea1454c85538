import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Catch, Module, type CanActivate, type ExceptionFilter, type ExecutionContext } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { Health, healthRoutes } from '../index.ts';
import { HealthModule, indicator, PUBLIC } from './index.ts';

// Real: Nest, Fastify and terminus.
class Guard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return Reflect.getMetadata(PUBLIC, context.getClass()) === true;
  }
}

@Catch()
class Problems implements ExceptionFilter {
  catch(): void {
    throw new Error('a probe came to the filter');
  }
}

let app: NestFastifyApplication;
const lines: unknown[] = [];
const log = (...line: unknown[]) => void lines.push(line);

async function serve(health: Health) {
  class App {}
  Module({
    imports: [HealthModule.for(health)],
    providers: [
      { provide: APP_GUARD, useClass: Guard },
      { provide: APP_FILTER, useClass: Problems },
    ],
  })(App);
  const adapter = new FastifyAdapter();
  healthRoutesAt('/plain', adapter, health);
  app = await NestFactory.create<NestFastifyApplication>(App, adapter, {
    logger: { log: () => {}, error: log, warn: log },
  });
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return async (url: string) => {
    const { statusCode, headers, body } = await app.inject({ url });
    return { status: statusCode, cache: headers['cache-control'], report: JSON.parse(body) as unknown };
  };
}

/** The same answers without Nest, for comparison. */
function healthRoutesAt(prefix: string, adapter: FastifyAdapter, health: Health) {
  const routes = (server: never, _: unknown, done: () => void) => {
    healthRoutes(server, health);
    done();
  };
  void adapter.getInstance().register(routes as never, { prefix } as never);
}

function healthOf(checks: Record<string, boolean>) {
  const health = new Health();
  const check = (up: boolean) => () => (up ? { ms: 3 } : Promise.reject(new Error('connection refused')));
  for (const [name, up] of Object.entries(checks)) {
    health.add(name.replace('?', ''), check(up), { critical: !name.endsWith('?') });
  }
  return health;
}

afterEach(() => {
  lines.length = 0;
  return app.close();
});

const STATES: [string, Record<string, boolean>, (health: Health) => void, number, string][] = [
  ['starts', { postgres: true }, () => {}, 503, 'error'],
  ['is up', { postgres: true, 'kafka?': true }, (health) => health.started(), 200, 'ok'],
  [
    'lacks an optional one',
    { postgres: true, 'kafka?': false },
    (health) => health.started(),
    200,
    'degraded',
  ],
  ['lacks a critical one', { postgres: false, 'kafka?': false }, (health) => health.started(), 503, 'error'],
  [
    'drains',
    { postgres: true },
    (health) => {
      health.started();
      health.drain();
    },
    503,
    'shutting_down',
  ],
];

describe.each(STATES)('a process that %s', (_, checks, prepare, status, word) => {
  it(`answers ${status} ${word}, by terminus as without Nest`, async () => {
    const health = healthOf(checks);
    prepare(health);
    const ask = await serve(health);
    const answer = await ask('/health/ready');
    expect(answer).toMatchObject({ status, cache: 'no-store', report: { status: word } });
    for (const probe of ['ready', 'live', 'startup']) {
      expect(await ask(`/health/${probe}`)).toEqual(await ask(`/plain/health/${probe}`));
    }
  });
});

describe('HealthModule', () => {
  it('writes nothing for a probe that fails', async () => {
    const ask = await serve(healthOf({ postgres: false }));
    await ask('/health/ready');
    expect(lines).toEqual([]);
  });

  it('fails liveness when a part has crashed', async () => {
    const health = healthOf({});
    health.crashed('consumer', 'TypeError');
    const ask = await serve(health);
    expect(await ask('/health/live')).toMatchObject({ status: 503, report: { error: { consumer: {} } } });
  });

  it('is not in the OpenAPI document', async () => {
    await serve(healthOf({}));
    expect(SwaggerModule.createDocument(app, new DocumentBuilder().build()).paths).toEqual({});
  });
});

describe('indicator', () => {
  const of = async (result: Record<string, { status: 'up' | 'down'; message?: string; lag?: number }>) => {
    const health = new Health().add(
      'it',
      indicator(async () => result),
    );
    health.started();
    await serve(health);
    return (await health.ready()).details['it'];
  };

  it("makes a check of terminus' own indicators", async () => {
    expect(await of({ db: { status: 'up' } })).toEqual({ status: 'up' });
    await app.close();
    expect(await of({ db: { status: 'down', message: 'refused', lag: 3 } })).toEqual({
      status: 'down',
      message: 'refused',
      lag: 3,
    });
  });
});
