import type { Health } from '@cairn/lifecycle';
import { newContext, withContext, type Logger } from '@cairn/logging';
import { Broker } from '@cairn/messaging';
import {
  Inject,
  type DynamicModule,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import type { Config } from './config.ts';
import { FilesStore } from './files.store.ts';
import { ReceiptsConsumer } from './receipts.consumer.ts';
import { ReceiptsService } from './receipts.service.ts';
import { RenderPool } from './render.pool.ts';

export type Setting = { config: Config; logger: Logger; health: Health };
export type Parts = ReturnType<typeof createParts>;

/** The composition root: everything the process is made of is made here, once. Nothing connects yet. */
export function createParts({ config, logger, health }: Setting) {
  const files = new FilesStore(config);
  files.policies.on('stateChange', ({ pipeline, from, to }) =>
    logger.warn({ event: `circuit_${to}`, dependency: pipeline, from }),
  );
  const renderer = new RenderPool({
    threads: config.RENDER_THREADS,
    maxQueued: config.RENDER_MAX_QUEUED,
    timeoutMs: config.RENDER_TIMEOUT_MS,
  });
  const broker = new Broker({
    brokers: config.KAFKA_BROKERS,
    clientId: 'worker',
    onLog: (line) => logger.warn({ event: 'kafka', ...line }),
  });
  const service = new ReceiptsService(renderer, files, (rows) => broker.publish(rows));
  const consumer = broker.consumer({
    groupId: 'worker',
    handlers: new ReceiptsConsumer(service).handlers,
    around: ({ correlationid: correlationId, traceparent }, handle) =>
      withContext(newContext({ correlationId, traceparent }), handle),
    onError: (err, message) => logger.warn({ event: 'event_failed', err, ...message }),
    onPause: (pause) => logger.warn({ event: 'partition_paused', ...pause }),
    onResume: (pause) => logger.info({ event: 'partition_resumed', ...pause }),
    onCrash: (error) => health.crashed('consumer', error.message),
  });
  health.add('s3', () => files.ping(), { critical: false });
  health.add('kafka', () => broker.ping(), { critical: false });
  const close = async () => {
    await Promise.allSettled([broker.close(), renderer.close()]);
    files.close();
  };
  return { files, broker, consumer, close };
}

export class AppModule implements OnModuleInit, OnModuleDestroy, OnApplicationShutdown {
  constructor(@Inject('Parts') private readonly parts: Parts) {}

  static with(setting: Setting): DynamicModule {
    return { module: AppModule, providers: [{ provide: 'Parts', useValue: createParts(setting) }] };
  }

  onModuleInit(): void {
    this.parts.consumer.start();
  }

  /** The first of Nest's hooks: no new events, and the one in hand is finished while its clients are still open. */
  async onModuleDestroy(): Promise<void> {
    await this.parts.consumer.stop();
  }

  /** The last of Nest's hooks: nobody needs the clients and threads any more. */
  async onApplicationShutdown(): Promise<void> {
    await this.parts.close();
  }
}
