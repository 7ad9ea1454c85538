import {
  attachBroker,
  eventConsumer,
  startFlow,
  watchPolicies,
  workerThreads,
  type Platform,
} from '@cairn/boot';
import type { Health } from '@cairn/lifecycle';
import { HealthModule } from '@cairn/lifecycle/nest';
import type { DynamicModule } from '@nestjs/common';
import type { Config } from './config.ts';
import { FilesStore } from './files.store.ts';
import { ReceiptsConsumer } from './receipts.consumer.ts';
import { ReceiptsService } from './receipts.service.ts';
import { RenderPool } from './render.pool.ts';

export type Parts = ReturnType<typeof createParts>;

/** The composition root: everything the process is made of is made here, once. Nothing connects yet. */
export function createParts(config: Config, platform: Platform) {
  const { services } = platform;
  const files = new FilesStore(config);
  watchPolicies(platform, files.policies);
  services.attach('s3', {
    critical: false,
    connect: () => files.ping(),
    // A bucket that is late is no reason to close what others are storing with.
    abandon: () => {},
    disconnect: () => files.close(),
    check: () => files.ping(),
  });
  const renderer = new RenderPool({
    threads: workerThreads(platform, config.RENDER_THREADS),
    maxQueued: config.RENDER_MAX_QUEUED,
    timeoutMs: config.RENDER_TIMEOUT_MS,
  });
  const broker = attachBroker(platform, config);

  const service = new ReceiptsService(renderer, files, (rows) => broker.publish(rows));
  const { handlers } = new ReceiptsConsumer(service);
  const consumer = eventConsumer(platform, broker, handlers);
  const begin = () => startFlow(platform, { consumer });
  const finish = async () => {
    await consumer.stop();
    await renderer.close();
  };
  const close = async () => {
    await Promise.allSettled([broker.close(), renderer.close()]);
    files.close();
  };
  return { files, broker, consumer, handlers, begin, finish, close };
}

export class AppModule {
  static with(health: Health): DynamicModule {
    return { module: AppModule, imports: [HealthModule.for(health)] };
  }
}
