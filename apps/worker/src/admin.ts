import { deadLetterCommand, platformOf } from '@cairn/boot';
import { createParts } from './app.module.ts';
import type { Config } from './config.ts';
import { RECEIPTS_TOPIC } from './receipts.service.ts';
import { instrumented } from './telemetry.ts';

/** One-off processes (factor 12): the same image, code and configuration as the worker, run once. */

export async function migrate(config: Config): Promise<void> {
  const { files, broker, close } = createParts(config, platformOf(config, instrumented));
  try {
    const created = await files.ensureBucket();
    console.log(`${created ? 'created' : 'found'} bucket ${config.S3_BUCKET}`);
    await broker.ensureTopics([RECEIPTS_TOPIC], {
      partitions: config.KAFKA_PARTITIONS,
      replicas: config.KAFKA_REPLICAS,
    });
  } finally {
    await close();
  }
}

/** What the consumer could not handle: `dlq list`, `show`, `replay`, `drop`, `skip`. */
export async function dlq(config: Config, args: string[]): Promise<number> {
  const platform = platformOf(config, instrumented);
  const { broker, consumer, handlers, close } = createParts(config, platform);
  try {
    return await deadLetterCommand(platform, { broker, consumer, handlers }, args);
  } finally {
    await close();
  }
}
