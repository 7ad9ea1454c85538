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
import { ReconciliationService } from './reconciliation.service.ts';

/** `serve` answers HTTP; `consume` handles events and relays the outbox; `all` does both. */
export type Role = 'serve' | 'consume' | 'all';
export type Parts = ReturnType<typeof createParts>;

/** The composition root: everything the process is made of is made here, once. Nothing connects yet. */
export function createParts(config: Config, platform: Platform) {
  const { logger, telemetry } = platform;
  const dataSource = createDataSource({
    ...config,
    DATABASE_POOL_MAX: databasePool(platform, config.DATABASE_POOL_MAX),
  });
  attachDatabase(platform, dataSource, config.DATABASE_URL);
  const broker = attachBroker(platform, config);

  const gateway = new GatewayClient(config);
  watchPolicies(platform, gateway.policies);
  const { relay, signal } = outboxRelay(platform, {
    db: dataSource,
    url: config.DATABASE_URL,
    broker,
    pollMs: config.OUTBOX_POLL_MS,
  });
  const repository = new PaymentsRepository(dataSource, (event, payment) => {
    signal.notify();
    const { attempts = 0, refusal } = payment.state === 'refunding' ? payment : {};
    const fields = { event, payment_id: payment.id, order_id: payment.orderId };
    if (refusal) logger.warn({ ...fields, attempts, refusal });
    else logger.info(fields);
  });
  const service = new PaymentsService(repository, gateway);
  const findings = telemetry.counter('payments.reconcile.findings', {
    unit: '{finding}',
    description: 'Differences between the books of gateway, payments and orders, by what came of them',
  });
  const reconciliation = new ReconciliationService(repository, gateway, service, {
    settings: config,
    onIncomplete: (err) => logger.warn({ event: 'reconcile_incomplete', err }),
    onFound: ({ finding, outcome, paymentId, orderId, chargeId, error: err }) => {
      findings.add(1, { finding, outcome });
      if (outcome === 'waiting') return;
      const about = { payment_id: paymentId, order_id: orderId, charge_id: chargeId };
      const level = outcome === 'repaired' ? 'info' : 'warn';
      logger[level]({ event: 'reconcile_finding', finding, outcome, ...about, err });
    },
  });

  const events = new PaymentsConsumer(
    service,
    reconciliation,
    { db: dataSource, keepDays: config.INBOX_KEEP_DAYS },
    jobReports(platform, broker),
  );
  const consumer = eventConsumer(platform, broker, events.handlers, {
    db: dataSource,
    topics: ['orders'],
  });
  const begin = () => {
    startFlow(platform, { consumer, relay });
    telemetry.gauge('payments.waiting', {
      unit: '{payment}',
      description: 'Payments that wait for the gateway: charging or refunding',
      read: async () =>
        Object.entries(await repository.waiting()).map(([state, value]) => ({
          value,
          attributes: { state },
        })),
    });
  };
  const finish = () => Promise.all([consumer.stop(), relay.stop()]);
  return { dataSource, broker, events, consumer, service, reconciliation, begin, finish };
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
