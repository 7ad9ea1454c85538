import { createVerifier, JwtGuard } from '@cairn/auth';
import {
  attachBroker,
  attachDatabase,
  databasePool,
  eventConsumer,
  jobReports,
  outboxRelay,
  startFlow,
  watchPolicies,
  type Platform,
} from '@cairn/boot';
import { EnvironmentProvider, featuresOf } from '@cairn/config/flags';
import { mutualFetch } from '@cairn/http/tls';
import type { Health } from '@cairn/lifecycle';
import { HealthModule } from '@cairn/lifecycle/nest';
import type { DynamicModule } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { OpenFeature } from '@openfeature/server-sdk';
import { Redis } from 'ioredis';
import { schema, type Config } from './config.ts';
import { createDataSource } from './data-source.factory.ts';
import { DraftsStore } from './drafts.store.ts';
import { OrderDetailsService } from './order-details.service.ts';
import { OrdersConsumer } from './orders.consumer.ts';
import { DraftsController, OrdersController } from './orders.controller.ts';
import { OrdersRepository } from './orders.repository.ts';
import { OrdersService } from './orders.service.ts';
import { PaymentsClient } from './payments.client.ts';

/** `serve` answers HTTP; `consume` handles events and relays the outbox; `all` does both. */
export type Role = 'serve' | 'consume' | 'all';
export type Parts = ReturnType<typeof createParts>;

/** The composition root: everything the process is made of is made here, once. Nothing connects yet. */
export function createParts(config: Config, platform: Platform) {
  const { logger, telemetry } = platform;
  const flags = new EnvironmentProvider(featuresOf(schema, config));
  OpenFeature.setProvider('orders', flags);
  const dataSource = createDataSource({
    ...config,
    DATABASE_POOL_MAX: databasePool(platform, config.DATABASE_POOL_MAX),
  });
  attachDatabase(platform, dataSource, config.DATABASE_URL);
  const redis = attachRedis(platform, config.REDIS_URL);
  const broker = attachBroker(platform, config);

  const confirmed = telemetry.counter('orders.confirmed', {
    unit: '{order}',
    description: 'Orders that were taken',
  });
  const settled = telemetry.counter('orders.settled', {
    unit: '{order}',
    description: 'Orders by what became of them',
  });
  const { relay, signal } = outboxRelay(platform, {
    db: dataSource,
    url: config.DATABASE_URL,
    broker,
    pollMs: config.OUTBOX_POLL_MS,
  });
  const repository = new OrdersRepository(dataSource, (event, { id, state }) => {
    signal.notify();
    logger.info({ event, order_id: id });
    if (event === 'order_confirmed') confirmed.add(1);
    else settled.add(1, { state });
  });
  const service = new OrdersService(repository, new DraftsStore(redis), config);
  const payments = new PaymentsClient(config, platform.identity && mutualFetch(platform.identity));
  watchPolicies(platform, payments.policies);
  const details = new OrderDetailsService(service, payments, OpenFeature.getClient('orders'), (err) =>
    logger.warn({ event: 'payment_not_expanded', err }),
  );

  const events = new OrdersConsumer(service, repository, config, jobReports(platform, broker));
  const consumer = eventConsumer(platform, broker, events.handlers, {
    db: dataSource,
    topics: ['payments'],
  });
  const begin = () => startFlow(platform, { consumer, relay });
  const finish = () => Promise.all([consumer.stop(), relay.stop()]);
  return { flags, dataSource, redis, broker, service, details, events, consumer, begin, finish };
}

function attachRedis({ services, logger }: Platform, url: string): Redis {
  const redis = new Redis(url, { lazyConnect: true, commandTimeout: 2000, maxRetriesPerRequest: 1 });
  redis.on('error', (err) => logger.warn({ event: 'redis_error', err }));
  services.attach('redis', {
    // After a failed start ioredis connects by itself and refuses to be told so again.
    connect: () => (['wait', 'end'].includes(redis.status) ? redis.connect() : redis.ping()),
    disconnect: () => redis.disconnect(),
    check: () => redis.ping(),
  });
  return redis;
}

export class AppModule {
  static with({ config, role, parts, health }: Setting): DynamicModule {
    const verifier = createVerifier({
      jwksUrl: config.JWKS_URL,
      issuer: config.JWT_ISSUER,
      audience: config.JWT_AUDIENCE,
    });
    return {
      module: AppModule,
      imports: [HealthModule.for(health)],
      controllers: role === 'consume' ? [] : [DraftsController, OrdersController],
      providers: [
        { provide: OrdersService, useValue: parts.service },
        { provide: OrderDetailsService, useValue: parts.details },
        { provide: APP_GUARD, useValue: new JwtGuard(verifier) },
      ],
    };
  }
}

type Setting = { config: Config; role: Role; parts: Pick<Parts, 'service' | 'details'>; health: Health };
