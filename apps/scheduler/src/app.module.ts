import {
  attachBroker,
  attachDatabase,
  databasePool,
  outboxRelay,
  startFlow,
  type Platform,
} from '@cairn/boot';
import type { Health } from '@cairn/lifecycle';
import { HealthModule } from '@cairn/lifecycle/nest';
import type { DynamicModule } from '@nestjs/common';
import { hostname } from 'node:os';
import { ClockService } from './clock.service.ts';
import type { Config } from './config.ts';
import { createDataSource } from './data-source.factory.ts';
import { job } from './job.ts';
import { RunsRepository } from './runs.repository.ts';

export type Parts = ReturnType<typeof createParts>;

/** The composition root: everything the process is made of is made here, once. Nothing connects yet. */
export function createParts(config: Config, platform: Platform) {
  const { logger, telemetry } = platform;
  const dataSource = createDataSource({
    ...config,
    // A tick is one short transaction; whatever the container is, three will do.
    DATABASE_POOL_MAX: databasePool(platform, config.DATABASE_POOL_MAX, { max: 3 }),
  });
  attachDatabase(platform, dataSource, config.DATABASE_URL);
  const broker = attachBroker(platform, config.KAFKA_BROKERS);

  const due = telemetry.counter('jobs.due', {
    unit: '{run}',
    description: 'Runs that this replica announced',
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
      due.add(1, { 'job.name': name });
      if (name === 'clean-up')
        forgetRuns().catch((err: unknown) => logger.warn({ event: 'clean_up_failed', err }));
    },
    onError: (err) => logger.warn({ event: 'job_claim_failed', err }),
  });
  const relay = outboxRelay(platform, { db: dataSource, broker, pollMs: config.OUTBOX_POLL_MS });
  const begin = () => {
    startFlow(platform, { relay });
    clock.start();
  };
  /** No new ticks, and what is claimed is relayed. */
  const finish = async () => {
    await clock.stop();
    await relay.stop();
  };
  return { dataSource, broker, forgetRuns, begin, finish };
}

export class AppModule {
  static with(health: Health): DynamicModule {
    return { module: AppModule, imports: [HealthModule.for(health)] };
  }
}
