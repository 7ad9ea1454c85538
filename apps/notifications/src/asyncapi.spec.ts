import { describe, expect, it } from '@jest/globals';
import { finishedJob } from '@cairn/boot';
import { asyncApiDocument } from '@cairn/messaging/asyncapi';
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { NotificationsConsumer } from './notifications.consumer.ts';

const file = new URL('../../../contracts/notifications.asyncapi.json', import.meta.url);

describe('contracts/notifications.asyncapi.json', () => {
  it('is what the code sends and reads (UPDATE_CONTRACTS=1 writes it anew)', () => {
    const document = asyncApiDocument<z.ZodType>({
      service: 'notifications',
      description: 'E-mails about orders, and that its jobs are done.',
      version: '1.0.0',
      sends: { 'job-reports': { 'job.finished.v1': finishedJob } },
      receives: new NotificationsConsumer({} as never, {} as never, {} as never, {} as never).handlers,
      toJsonSchema: (schema) => z.toJSONSchema(schema, { target: 'draft-7', io: 'input' }),
    });
    const text = `${JSON.stringify(document, null, 2)}\n`;
    if (process.env['UPDATE_CONTRACTS']) writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, 'utf8'));
  });
});
