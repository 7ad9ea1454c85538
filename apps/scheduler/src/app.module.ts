import {
  attachBroker,
  attachDatabase,
  databasePool,
  eventConsumer,
  outboxRelay,
  startFlow,
  type Platform,
} from '@cairn/boot';
import type { Health } from '@cairn/lifecycle';
import { HealthModule } from '@cairn/lifecycle/nest';
import { forgetOldMessages, type OutboxSignal } from '@cairn/messaging';
import type { DynamicModule } from '@nestjs/common';
import { hostname } from 'node:os';
import type { DataSource } from 'typeorm';
import { ClockService } from './clock.service.ts';
import type { Config } from './config.ts';
import { createDataSource } from './data-source.factory.ts';
import { jobsOf } from './jobs.ts';
import { ReportsConsumer } from './reports.consumer.ts';
import { RunsRepository } from './runs.repository.ts';

export type Parts = ReturnType<typeof createParts>;

/** The composition root: everything the process is made of is made here, once. Nothing connects yet. */
export function createParts(config: Config, platform: Platform) {
  const { logger } = platform;
  const dataSource = createDataSource({
    ...config,
    // A tick is one short transaction; whatever the container is, three will do.
    DATABASE_POOL_MAX: databasePool(platform, config.DATABASE_POOL_MAX, { max: 3 }),
  });
  attachDatabase(platform, dataSource, config.DATABASE_URL);
  const broker = attachBroker(platform, config);

  const { relay, signal } = outboxRelay(platform, {
    db: dataSource,
    url: config.DATABASE_URL,
    broker,
    pollMs: config.OUTBOX_POLL_MS,
  });
  const runs = new RunsRepository(dataSource, `${hostname()}:${process.pid}`, config);
  const cleanUp = () => forget(runs, dataSource, config);
  const clock = new ClockService(jobsOf(config), runs, {
    lookMs: config.LOOK_MS,
    graceMs: config.MISSED_GRACE_S * 1000,
    ...told(platform, signal, (err) => logger.warn({ event: 'clean_up_failed', err }), cleanUp),
  });
  const reports = new ReportsConsumer(runs, (job, tick) => logger.info({ event: 'job_finished', job, tick }));
  const consumer = eventConsumer(platform, broker, reports.handlers);
  const begin = () => {
    startFlow(platform, { consumer, relay });
    clock.start();
  };
  /** No new ticks, and what is claimed is relayed. */
  const finish = async () => {
    await Promise.all([clock.stop(), consumer.stop()]);
    await relay.stop();
  };
  const { handlers } = reports;
  return { dataSource, broker, consumer, handlers, runs, cleanUp, begin, finish };
}

async function forget(runs: RunsRepository, dataSource: DataSource, config: Config) {
  return {
    runs: await runs.forget(config.RUNS_KEEP_DAYS),
    messages: await forgetOldMessages(dataSource, config.RUNS_KEEP_DAYS),
  };
}

/** What the clock does, as log lines and counters. Its own clean-up goes with the run of that name. */
function told(
  { logger, telemetry }: Platform,
  signal: OutboxSignal,
  onCleanUpFailed: (error: unknown) => void,
  cleanUp: () => Promise<unknown>,
) {
  const counter = (name: string, description: string) =>
    telemetry.counter(name, { unit: '{run}', description });
  const due = counter('jobs.due', 'Runs that this replica announced');
  const passedBy = counter('jobs.missed', 'Ticks that were left out, by the policy of their job');
  const again = counter(
    'jobs.overdue',
    'Runs that were announced again or given up, as reports were missing',
  );
  return {
    onRun: ({ job, tick }, passedOver) => {
      signal.notify();
      logger.info({ event: 'job_due', job, tick });
      due.add(1, { 'job.name': job });
      if (passedOver > 0) {
        logger.warn({ event: 'job_ticks_missed', job, tick, missed: passedOver });
        passedBy.add(passedOver, { 'job.name': job });
      }
      if (job === 'clean-up') cleanUp().catch(onCleanUpFailed);
    },
    onOverdue: ({ job, tick }, outcome) => {
      signal.notify();
      logger.warn({ event: outcome === 'failed' ? 'job_failed' : 'job_announced_again', job, tick });
      again.add(1, { 'job.name': job, outcome });
    },
    onError: (err) => logger.warn({ event: 'job_look_failed', err }),
  } satisfies Partial<ConstructorParameters<typeof ClockService>[2]>;
}

export class AppModule {
  static with(health: Health): DynamicModule {
    return { module: AppModule, imports: [HealthModule.for(health)] };
  }
}
