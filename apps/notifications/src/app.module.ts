import { createVerifier, JwtGuard } from '@cairn/auth';
import {
  attachBroker,
  attachDatabase,
  databasePool,
  eventConsumer,
  jobReports,
  startFlow,
  watchPolicies,
  type Platform,
} from '@cairn/boot';
import { EnvironmentProvider, featuresOf } from '@cairn/config/flags';
import type { Health } from '@cairn/lifecycle';
import { HealthModule } from '@cairn/lifecycle/nest';
import type { DynamicModule } from '@nestjs/common';
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
export type Parts = ReturnType<typeof createParts>;

/** The composition root: everything the process is made of is made here, once. Nothing connects yet. */
export function createParts(config: Config, platform: Platform) {
  const { services } = platform;
  const flags = new EnvironmentProvider(featuresOf(schema, config));
  OpenFeature.setProvider('notifications', flags);
  const dataSource = createDataSource({
    ...config,
    DATABASE_POOL_MAX: databasePool(platform, config.DATABASE_POOL_MAX),
  });
  attachDatabase(platform, dataSource, config.DATABASE_URL);
  const broker = attachBroker(platform, config);
  const mail = new MailSender(config);
  watchPolicies(platform, mail.policies);
  services.attach('smtp', {
    critical: false,
    connect: () => mail.ping(),
    // A greeting that is late is no reason to close what others are sending with.
    abandon: () => {},
    disconnect: () => mail.close(),
    check: () => mail.ping(),
  });

  const service = new NotificationsService(
    new NotificationsRepository(dataSource),
    mail,
    OpenFeature.getClient('notifications'),
    config,
  );
  const events = new NotificationsConsumer(service, dataSource, config, jobReports(platform, broker));
  const consumer = eventConsumer(platform, broker, events.handlers);
  const begin = () => startFlow(platform, { consumer });
  const finish = () => consumer.stop();
  return { flags, dataSource, broker, mail, service, events, consumer, begin, finish };
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
      controllers: role === 'consume' ? [] : [NotificationsController],
      providers: [
        { provide: NotificationsService, useValue: parts.service },
        { provide: APP_GUARD, useValue: new JwtGuard(verifier) },
      ],
    };
  }
}

type Setting = { config: Config; role: Role; parts: Pick<Parts, 'service'>; health: Health };
