import 'reflect-metadata';
import { deadLetterCommand, platformOf, type Platform } from '@cairn/boot';
import { MigrationExecutor } from 'typeorm';
import { z } from 'zod';
import { createParts, type Parts } from './app.module.ts';
import type { Config } from './config.ts';
import { linesOf, totals } from './reconciliation.ts';
import { PAYMENTS_TOPIC } from './payments.repository.ts';
import { instrumented } from './telemetry.ts';

/** One-off processes (factor 12): the same image, code and configuration as the service, run once. */

export function migrate(config: Config): Promise<void> {
  return withParts(config, async ({ dataSource, broker }) => {
    await dataSource.initialize();
    const done = await dataSource.runMigrations({ transaction: 'each' });
    print(done.length ? done.map(({ name }) => `migrated ${name}`) : ['nothing to migrate']);
    await broker.ensureTopics([PAYMENTS_TOPIC], {
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
  return withParts(config, async ({ dataSource, events }) => {
    await dataSource.initialize();
    print([`forgot ${await events.cleanUp()} messages`]);
  });
}

/** What the consumer could not handle: `dlq list`, `show`, `replay`, `drop`, `skip`. */
export function dlq(config: Config, args: string[]): Promise<number> {
  return withParts(config, ({ broker, consumer, events: { handlers }, dataSource }, platform) => {
    const connect = () => dataSource.initialize();
    return deadLetterCommand(platform, { broker, consumer, handlers, connect }, args);
  });
}

/**
 * One round of reconciliation as a table, for instance `reconcile --since 2026-11-01T00:00:00Z`. Exit code 0 when the books agree, or
 * do now; 1 when something is left for a person or for the next round; 2 for arguments that make no sense.
 */
export async function reconcile(config: Config, args: string[]): Promise<number> {
  const since = sinceIn(args);
  if (since === 'unknown') {
    process.stderr.write('usage: reconcile [--since <time as in 2026-11-01T00:00:00Z>]\n');
    return 2;
  }
  return withParts(config, async ({ dataSource, reconciliation }) => {
    await dataSource.initialize();
    const round = await reconciliation.run(since ? { since } : {});
    print(linesOf(round));
    const { reported, failed } = totals(round);
    return round.complete && !reported && !failed ? 0 : 1;
  });
}

function sinceIn(args: string[]): Date | undefined | 'unknown' {
  const [flag, value, ...rest] = args.flatMap((arg) => arg.split(/(?<=^--since)=/));
  if (flag === undefined) return undefined;
  const { success } = z.iso.datetime({ offset: true }).safeParse(value);
  return flag === '--since' && success && rest.length === 0 ? new Date(value!) : 'unknown';
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
