import 'reflect-metadata';
import { deadLetterCommand, platformOf, type Platform } from '@cairn/boot';
import { MigrationExecutor } from 'typeorm';
import { createParts, type Parts } from './app.module.ts';
import type { Config } from './config.ts';
import { jobsOf } from './jobs.ts';
import { aligned, runRows, type RunsQuery } from './run.ts';
import { JOBS_TOPIC, REPORTS_TOPIC } from './runs.repository.ts';
import { instrumented } from './telemetry.ts';

/** One-off processes (factor 12): the same image, code and configuration as the service, run once. */

export function migrate(config: Config): Promise<void> {
  return withParts(config, async ({ dataSource, broker }) => {
    await dataSource.initialize();
    const done = await dataSource.runMigrations({ transaction: 'each' });
    print(done.length ? done.map(({ name }) => `migrated ${name}`) : ['nothing to migrate']);
    await broker.ensureTopics([JOBS_TOPIC, REPORTS_TOPIC], {
      partitions: config.KAFKA_PARTITIONS,
      replicas: config.KAFKA_REPLICAS,
    });
  });
}

export function listMigrations(config: Config): Promise<void> {
  return withParts(config, async ({ dataSource }) => {
    await dataSource.initialize();
    const pending = new Set(
      (await new MigrationExecutor(dataSource).getPendingMigrations()).map(({ name }) => name),
    );
    print(
      dataSource.migrations.map(
        ({ constructor: { name } }) => `${pending.has(name) ? 'pending' : 'done   '} ${name}`,
      ),
    );
  });
}

export function cleanup(config: Config): Promise<void> {
  return withParts(config, async ({ dataSource, cleanUp }) => {
    await dataSource.initialize();
    const { runs, messages } = await cleanUp();
    print([`forgot ${runs} runs and ${messages} messages`]);
  });
}

/** The latest runs, newest first, and who reported what of them. */
export function runs(config: Config, { job, limit }: RunsQuery): Promise<void> {
  return withParts(config, async ({ dataSource, runs }) => {
    await dataSource.initialize();
    const found = await runs.list({ job, limit });
    const jobs = jobsOf(config).map(({ name }) => name);
    print(
      found.length > 0
        ? aligned(runRows(found))
        : [`no runs of ${job ?? 'any job'}; there are ${jobs.join(', ')}`],
    );
  });
}

/** What the consumer could not handle: `dlq list`, `show`, `replay`, `drop`, `skip`. */
export function dlq(config: Config, args: string[]): Promise<number> {
  return withParts(config, async ({ dataSource, broker, consumer, handlers }, platform) => {
    await dataSource.initialize();
    return deadLetterCommand(platform, { broker, consumer, handlers }, args);
  });
}

async function withParts<T>(
  config: Config,
  task: (parts: Parts, platform: Platform) => Promise<T>,
): Promise<T> {
  const platform = platformOf(config, instrumented);
  const parts = createParts(config, platform);
  try {
    return await task(parts, platform);
  } finally {
    await parts.broker.close();
    if (parts.dataSource.isInitialized) await parts.dataSource.destroy();
  }
}

function print(lines: string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}
