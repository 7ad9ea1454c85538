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
import type { Health } from '@cairn/lifecycle';
import { HealthModule } from '@cairn/lifecycle/nest';
import type { DynamicModule } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { Config } from './config.ts';
import { createDataSource } from './data-source.factory.ts';
import { GatewayClient } from './gateway.client.ts';
import { PaymentsConsumer } from './payments.consumer.ts';
import { PaymentsController } from './payments.controller.ts';
import { PaymentsRepository } from './payments.repository.ts';
import { PaymentsService } from './payments.service.ts';

/** `serve` answers HTTP; `consume` handles events and relays the outbox; `all` does both. */
export type Role = 'serve' | 'consume' | 'all';
export type Parts = ReturnType<typeof createParts>;

/** The composition root: everything the process is made of is made here, once. Nothing connects yet. */
export function createParts(config: Config, platform: Platform) {
  const { logger } = platform;
  const dataSource = createDataSource({
    ...config,
    DATABASE_POOL_MAX: databasePool(platform, config.DATABASE_POOL_MAX),
  });
  attachDatabase(platform, dataSource, config.DATABASE_URL);
  const broker = attachBroker(platform, config.KAFKA_BROKERS);

  const gateway = new GatewayClient(config);
  watchPolicies(platform, gateway.policies);
  const repository = new PaymentsRepository(dataSource, (event, { id, orderId }) =>
    logger.info({ event, payment_id: id, order_id: orderId }),
  );
  const service = new PaymentsService(repository, gateway, config);

  const events = new PaymentsConsumer(service, dataSource, config, jobReports(platform, broker));
  const consumer = eventConsumer(platform, broker, events.handlers, {
    db: dataSource,
    topics: ['orders'],
  });
  const relay = outboxRelay(platform, { db: dataSource, broker, pollMs: config.OUTBOX_POLL_MS });
  const begin = () => startFlow(platform, { consumer, relay });
  const finish = () => Promise.all([consumer.stop(), relay.stop()]);
  return { dataSource, broker, events, consumer, service, begin, finish };
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
      controllers: role === 'consume' ? [] : [PaymentsController],
      providers: [
        { provide: PaymentsService, useValue: parts.service },
        { provide: APP_GUARD, useValue: new JwtGuard(verifier) },
      ],
    };
  }
}

type Setting = { config: Config; role: Role; parts: Pick<Parts, 'service'>; health: Health };
