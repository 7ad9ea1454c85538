import { platformOf } from '@cairn/boot';
import { createParts } from './app.module.ts';
import type { Config } from './config.ts';
import { RECEIPTS_TOPIC } from './receipts.service.ts';
import { instrumented } from './telemetry.ts';

/** A one-off process (factor 12): the same image, code and configuration as the worker, run once. */
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
