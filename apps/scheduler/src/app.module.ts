import type { Health } from '@cairn/lifecycle';
import type { Logger } from '@cairn/logging';
import { Broker, OutboxRelay } from '@cairn/messaging';
import {
  Inject,
  type DynamicModule,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { hostname } from 'node:os';
import { ClockService } from './clock.service.ts';
import type { Config } from './config.ts';
import { createDataSource } from './data-source.factory.ts';
import { job } from './job.ts';
import { RunsRepository } from './runs.repository.ts';

export type Setting = { config: Config; logger: Logger; health: Health };
export type Parts = ReturnType<typeof createParts>;

/** The composition root: everything the process is made of is made here, once. Nothing connects yet. */
export function createParts({ config, logger, health }: Setting) {
  const dataSource = createDataSource(config);
  const broker = new Broker({
    brokers: config.KAFKA_BROKERS,
    clientId: 'scheduler',
    onLog: (line) => logger.warn({ event: 'kafka', ...line }),
  });
  const runs = new RunsRepository(dataSource, `${hostname()}:${process.pid}`);
  const jobs = [
    job('expire-unpaid-orders', config.EXPIRE_UNPAID_ORDERS),
    job('reconcile-payments', config.RECONCILE_PAYMENTS),
    job('clean-up', config.CLEAN_UP),
    job('close-sales-day', config.CLOSE_SALES_DAY),
  ];
  const forgetRuns = () => runs.forget(config.RUNS_KEEP_DAYS);
  const clock = new ClockService(jobs, runs, {
    lookMs: config.LOOK_MS,
    onRun: (name, tick) => {
      logger.info({ event: 'job_due', job: name, tick });
      if (name === 'clean-up')
        forgetRuns().catch((err: unknown) => logger.warn({ event: 'clean_up_failed', err }));
    },
    onError: (err) => logger.warn({ event: 'job_claim_failed', err }),
  });
  const relay = new OutboxRelay({
    db: dataSource,
    publish: (rows) => broker.publish(rows),
    pollMs: config.OUTBOX_POLL_MS,
    onError: (err) => logger.warn({ event: 'outbox_relay_failed', err }),
  });
  health.add('postgres', () => dataSource.query('SELECT 1'));
  health.add('kafka', () => broker.ping(), { critical: false });
  return { dataSource, broker, clock, relay, forgetRuns };
}

export class AppModule implements OnModuleInit, OnModuleDestroy, OnApplicationShutdown {
  constructor(@Inject('Parts') private readonly parts: Parts) {}

  static with(setting: Setting): DynamicModule {
    return { module: AppModule, providers: [{ provide: 'Parts', useValue: createParts(setting) }] };
  }

  async onModuleInit(): Promise<void> {
    await this.parts.dataSource.initialize();
    this.parts.relay.start();
    this.parts.clock.start();
  }

  /** The first of Nest's hooks: no new ticks, and what is claimed is relayed while the clients are still open. */
  async onModuleDestroy(): Promise<void> {
    await this.parts.clock.stop();
    await this.parts.relay.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    const { broker, dataSource } = this.parts;
    await Promise.allSettled([broker.close(), dataSource.destroy()]);
  }
}
