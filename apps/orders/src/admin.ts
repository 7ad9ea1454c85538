import 'reflect-metadata';
import { deadLetterCommand, platformOf, type Platform } from '@cairn/boot';
import { MigrationExecutor } from 'typeorm';
import { createParts, type Parts } from './app.module.ts';
import type { Config } from './config.ts';
import { ORDERS_TOPIC } from './orders.repository.ts';
import { instrumented } from './telemetry.ts';

/** One-off processes (factor 12): the same image, code and configuration as the service, run once. */

export function migrate(config: Config): Promise<void> {
  return withParts(config, async ({ dataSource, broker }) => {
    await dataSource.initialize();
    const done = await dataSource.runMigrations({ transaction: 'each' });
    print(done.length ? done.map(({ name }) => `migrated ${name}`) : ['nothing to migrate']);
    await broker.ensureTopics([ORDERS_TOPIC], {
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

/** Saves a draft of the demo customer, so that there is something to look at. */
export function seed(config: Config): Promise<void> {
  return withParts(config, async ({ dataSource, redis, service }) => {
    await Promise.all([dataSource.initialize(), redis.connect()]);
    const draft = await service.saveDraft('demo', '0194f000-0000-7000-8000-000000000001', {
      email: 'demo@example.com',
      currency: 'EUR',
      lines: [{ sku: 'CAIRN-BOOK', name: 'Trail guide', quantity: 1, unitPrice: 2490 }],
    });
    print([`saved draft ${draft.id} of customer demo`]);
  });
}

export function cleanup(config: Config): Promise<void> {
  return withParts(config, async ({ dataSource, events }) => {
    await dataSource.initialize();
    const { replies, messages } = await events.cleanUp();
    print([`forgot ${replies} replies and ${messages} messages`]);
  });
}

/** What the consumer could not handle: `dlq list`, `show`, `replay`, `drop`, `skip`. */
export function dlq(config: Config, args: string[]): Promise<number> {
  return withParts(config, ({ broker, consumer, events: { handlers }, dataSource }, platform) => {
    const connect = () => dataSource.initialize();
    return deadLetterCommand(platform, { broker, consumer, handlers, connect }, args);
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
    parts.redis.disconnect();
    await parts.broker.close();
    if (parts.dataSource.isInitialized) await parts.dataSource.destroy();
  }
}

function print(lines: string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}
