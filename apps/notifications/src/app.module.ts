import { createVerifier, JwtGuard } from '@cairn/auth';
import { EnvironmentProvider, featuresOf } from '@cairn/config/flags';
import type { Health } from '@cairn/lifecycle';
import { newContext, withContext, type Logger } from '@cairn/logging';
import { Broker } from '@cairn/messaging';
import {
  Inject,
  type DynamicModule,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { OpenFeature } from '@openfeature/server-sdk';
import { schema, type Config } from './config.ts';
import { createDataSource } from './data-source.factory.ts';
import { MailSender } from './mail.sender.ts';
import { NotificationsConsumer } from './notifications.consumer.ts';
import { NotificationsController } from './notifications.controller.ts';
import { NotificationsRepository } from './notifications.repository.ts';
import { NotificationsService } from './notifications.service.ts';

/** `serve` answers HTTP; `consume` handles events; `all` does both. */
export type Role = 'serve' | 'consume' | 'all';
export type Setting = { config: Config; role: Role; logger: Logger; health: Health };
export type Parts = ReturnType<typeof createParts>;

/** The composition root: everything the process is made of is made here, once. Nothing connects yet. */
export function createParts({ config, logger, health }: Omit<Setting, 'role'>) {
  const flags = new EnvironmentProvider(featuresOf(schema, config));
  OpenFeature.setProvider('notifications', flags);
  const dataSource = createDataSource(config);
  const mail = new MailSender(config);
  mail.policies.on('stateChange', ({ pipeline, from, to }) =>
    logger.warn({ event: `circuit_${to}`, dependency: pipeline, from }),
  );
  const broker = new Broker({
    brokers: config.KAFKA_BROKERS,
    clientId: 'notifications',
    onLog: (line) => logger.warn({ event: 'kafka', ...line }),
  });
  const service = new NotificationsService(
    new NotificationsRepository(dataSource),
    mail,
    OpenFeature.getClient('notifications'),
    config,
  );
  const events = new NotificationsConsumer(service, dataSource, config);
  const consumer = broker.consumer({
    groupId: 'notifications',
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
  health.add('smtp', () => mail.ping(), { critical: false });
  return { flags, dataSource, broker, mail, service, events, consumer };
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
      controllers: role === 'consume' ? [] : [NotificationsController],
      providers: [
        { provide: 'Parts', useValue: parts },
        { provide: 'Role', useValue: role },
        { provide: NotificationsService, useValue: parts.service },
        { provide: APP_GUARD, useValue: new JwtGuard(verifier) },
      ],
    };
  }

  async onModuleInit(): Promise<void> {
    await this.parts.dataSource.initialize();
    if (this.role !== 'serve') this.parts.consumer.start();
  }

  /** The first of Nest's hooks: no new events, and the one in hand is finished while its clients are still open. */
  async onModuleDestroy(): Promise<void> {
    if (this.role !== 'serve') await this.parts.consumer.stop();
  }

  /** The last of Nest's hooks: HTTP is closed, nobody needs the clients any more. */
  async onApplicationShutdown(): Promise<void> {
    const { broker, mail, dataSource } = this.parts;
    mail.close();
    await Promise.allSettled([broker.close(), dataSource.destroy()]);
  }
}
