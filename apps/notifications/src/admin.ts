import 'reflect-metadata';
import { platformOf } from '@cairn/boot';
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

async function withParts(config: Config, task: (parts: Parts) => Promise<void>): Promise<void> {
  const parts = createParts(config, platformOf(config, instrumented));
  try {
    await parts.dataSource.initialize();
    await task(parts);
  } finally {
    parts.mail.close();
    await parts.broker.close();
    if (parts.dataSource.isInitialized) await parts.dataSource.destroy();
  }
}

function print(lines: string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}
