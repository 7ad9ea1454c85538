import 'reflect-metadata';
import { deadLetterCommand, platformOf, type Platform } from '@cairn/boot';
import { MigrationExecutor } from 'typeorm';
import { createParts, type Parts } from './app.module.ts';
import type { Config } from './config.ts';
import { instrumented } from './telemetry.ts';

/** One-off processes (factor 12): the same image, code and configuration as the service, run once. */

/** Topics belong to those who write to them; notifications only reads. */
export function migrate(config: Config): Promise<void> {
  return withParts(config, async ({ dataSource }) => {
    const done = await dataSource.runMigrations({ transaction: 'each' });
    print(done.length ? done.map(({ name }) => `migrated ${name}`) : ['nothing to migrate']);
  });
}

export function listMigrations(config: Config): Promise<void> {
  return withParts(config, async ({ dataSource }) => {
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
  return withParts(config, async ({ events }) => {
    print([`forgot ${await events.cleanUp()} messages`]);
  });
}

/** What the consumer could not handle: `dlq list`, `show`, `replay`, `drop`, `skip`. */
export function dlq(config: Config, args: string[]): Promise<number> {
  return withParts(config, ({ broker, consumer, events: { handlers } }, platform) =>
    deadLetterCommand(platform, { broker, consumer, handlers }, args),
  );
}

async function withParts<T>(
  config: Config,
  task: (parts: Parts, platform: Platform) => Promise<T>,
): Promise<T> {
  const platform = platformOf(config, instrumented);
  const parts = createParts(config, platform);
  try {
    await parts.dataSource.initialize();
    return await task(parts, platform);
  } finally {
    parts.mail.close();
    await parts.broker.close();
    if (parts.dataSource.isInitialized) await parts.dataSource.destroy();
  }
}

function print(lines: string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}
