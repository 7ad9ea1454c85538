import { createVerifier, JwtGuard } from '@cairn/auth';
import { EnvironmentProvider, featuresOf } from '@cairn/config/flags';
import type { Health } from '@cairn/lifecycle';
import { newContext, withContext, type Logger } from '@cairn/logging';
import { Broker, OutboxRelay } from '@cairn/messaging';
import {
  Inject,
  type DynamicModule,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
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
export type Setting = { config: Config; role: Role; logger: Logger; health: Health };
export type Parts = ReturnType<typeof createParts>;

/** The composition root: everything the process is made of is made here, once. Nothing connects yet. */
export function createParts({ config, logger, health }: Omit<Setting, 'role'>) {
  const flags = new EnvironmentProvider(featuresOf(schema, config));
  OpenFeature.setProvider('orders', flags);
  const dataSource = createDataSource(config);
  const redis = new Redis(config.REDIS_URL, {
    lazyConnect: true,
    commandTimeout: 2000,
    maxRetriesPerRequest: 1,
  });
  redis.on('error', (err) => logger.warn({ event: 'redis_error', err }));
  const broker = new Broker({
    brokers: config.KAFKA_BROKERS,
    clientId: 'orders',
    onLog: (line) => logger.warn({ event: 'kafka', ...line }),
  });
  const repository = new OrdersRepository(dataSource);
  const service = new OrdersService(repository, new DraftsStore(redis), config);
  const payments = new PaymentsClient(config);
  payments.policies.on('stateChange', ({ pipeline, from, to }) =>
    logger.warn({ event: `circuit_${to}`, dependency: pipeline, from }),
  );
  const details = new OrderDetailsService(service, payments, OpenFeature.getClient('orders'), (err) =>
    logger.warn({ event: 'payment_not_expanded', err }),
  );
  const events = new OrdersConsumer(service, repository, dataSource, config);
  const relay = new OutboxRelay({
    db: dataSource,
    publish: (rows) => broker.publish(rows),
    pollMs: config.OUTBOX_POLL_MS,
    onError: (err) => logger.warn({ event: 'outbox_relay_failed', err }),
  });
  const consumer = broker.consumer({
    groupId: 'orders',
    handlers: events.handlers,
    around: ({ correlationid: correlationId, traceparent }, handle) =>
      withContext(newContext({ correlationId, traceparent }), handle),
    onError: (err, message) => logger.warn({ event: 'event_failed', err, ...message }),
    onPause: (pause) => logger.warn({ event: 'partition_paused', ...pause }),
    onResume: (pause) => logger.info({ event: 'partition_resumed', ...pause }),
    onCrash: (error) => health.crashed('consumer', error.message),
  });
  health.add('postgres', () => dataSource.query('SELECT 1'));
  health.add('redis', () => redis.ping());
  health.add('kafka', () => broker.ping(), { critical: false });
  return { flags, dataSource, redis, broker, service, details, events, relay, consumer };
}

export class AppModule implements OnModuleInit, OnModuleDestroy, OnApplicationShutdown {
  constructor(
    @Inject('Parts') private readonly parts: Parts,
    @Inject('Role') private readonly role: Role,
  ) {}

  static with(setting: Setting): DynamicModule {
    const { config, role } = setting;
    const parts = createParts(setting);
    const verifier = createVerifier({
      jwksUrl: config.JWKS_URL,
      issuer: config.JWT_ISSUER,
      audience: config.JWT_AUDIENCE,
    });
    return {
      module: AppModule,
      controllers: role === 'consume' ? [] : [DraftsController, OrdersController],
      providers: [
        { provide: 'Parts', useValue: parts },
        { provide: 'Role', useValue: role },
        { provide: OrdersService, useValue: parts.service },
        { provide: OrderDetailsService, useValue: parts.details },
        { provide: APP_GUARD, useValue: new JwtGuard(verifier) },
      ],
    };
  }

  async onModuleInit(): Promise<void> {
    await Promise.all([this.parts.dataSource.initialize(), this.parts.redis.connect()]);
    if (this.role === 'serve') return;
    this.parts.relay.start();
    this.parts.consumer.start();
  }

  /** The first of Nest's hooks: no new events, and the one in hand is finished while its clients are still open. */
  async onModuleDestroy(): Promise<void> {
    if (this.role !== 'serve') await Promise.all([this.parts.consumer.stop(), this.parts.relay.stop()]);
  }

  /** The last of Nest's hooks: HTTP is closed, nobody needs the clients any more. */
  async onApplicationShutdown(): Promise<void> {
    const { broker, redis, dataSource } = this.parts;
    await Promise.allSettled([broker.close(), redis.quit(), dataSource.destroy()]);
  }
}
