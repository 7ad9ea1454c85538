import { createVerifier, JwtGuard } from '@cairn/auth';
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
import type { Config } from './config.ts';
import { createDataSource } from './data-source.factory.ts';
import { GatewayClient } from './gateway.client.ts';
import { PaymentsConsumer } from './payments.consumer.ts';
import { PaymentsController } from './payments.controller.ts';
import { PaymentsRepository } from './payments.repository.ts';
import { PaymentsService } from './payments.service.ts';

/** `serve` answers HTTP; `consume` handles events and relays the outbox; `all` does both. */
export type Role = 'serve' | 'consume' | 'all';
export type Setting = { config: Config; role: Role; logger: Logger; health: Health };
export type Parts = ReturnType<typeof createParts>;

/** The composition root: everything the process is made of is made here, once. Nothing connects yet. */
export function createParts({ config, logger, health }: Omit<Setting, 'role'>) {
  const dataSource = createDataSource(config);
  const broker = new Broker({
    brokers: config.KAFKA_BROKERS,
    clientId: 'payments',
    onLog: (line) => logger.warn({ event: 'kafka', ...line }),
  });
  const gateway = new GatewayClient(config);
  gateway.policies.on('stateChange', ({ pipeline, from, to }) =>
    logger.warn({ event: `circuit_${to}`, dependency: pipeline, from }),
  );
  const service = new PaymentsService(new PaymentsRepository(dataSource), gateway, config);
  const events = new PaymentsConsumer(service, dataSource, config);
  const relay = new OutboxRelay({
    db: dataSource,
    publish: (rows) => broker.publish(rows),
    pollMs: config.OUTBOX_POLL_MS,
    onError: (err) => logger.warn({ event: 'outbox_relay_failed', err }),
  });
  const consumer = broker.consumer({
    groupId: 'payments',
    handlers: events.handlers,
    around: ({ correlationid: correlationId, traceparent }, handle) =>
      withContext(newContext({ correlationId, traceparent }), handle),
    onError: (err, message) => logger.warn({ event: 'event_failed', err, ...message }),
    onPause: (pause) => logger.warn({ event: 'partition_paused', ...pause }),
    onResume: (pause) => logger.info({ event: 'partition_resumed', ...pause }),
    onCrash: (error) => health.crashed('consumer', error.message),
  });
  health.add('postgres', () => dataSource.query('SELECT 1'));
  health.add('kafka', () => broker.ping(), { critical: false });
  return { dataSource, broker, events, relay, consumer, service };
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
      controllers: role === 'consume' ? [] : [PaymentsController],
      providers: [
        { provide: 'Parts', useValue: parts },
        { provide: 'Role', useValue: role },
        { provide: PaymentsService, useValue: parts.service },
        { provide: APP_GUARD, useValue: new JwtGuard(verifier) },
      ],
    };
  }

  async onModuleInit(): Promise<void> {
    await this.parts.dataSource.initialize();
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
    const { broker, dataSource } = this.parts;
    await Promise.allSettled([broker.close(), dataSource.destroy()]);
  }
}
