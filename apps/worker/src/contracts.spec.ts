import { describe, expect, it } from '@jest/globals';
import type { Event, OutboxRow } from '@cairn/messaging';
import { readFileSync } from 'node:fs';
import { aConfig } from './config.fixture.ts';
import { FilesStore } from './files.store.ts';
import { paidOrder, salesDay } from './receipts.consumer.ts';
import { ReceiptsService } from './receipts.service.ts';

/** What the worker reads and emits is what `contracts/events` shows, field by field. */
const example = (type: string) => {
  const file = new URL(`../../../contracts/events/${type}.v1.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as Event<Record<string, unknown>>;
};

describe('events of the worker', () => {
  it.each([
    ['order.paid', paidOrder],
    ['sales.day_closed', salesDay],
  ])('reads %s', (type, schema) => {
    expect(schema.safeParse(example(type).data)).toMatchObject({ success: true });
  });

  it('emits receipt.stored as its contract shows, for the order of the contract', async () => {
    const files = new FilesStore(aConfig({ S3_PUBLIC_ENDPOINT: 'https://files.example.com' }));
    files.putOnce = () => Promise.resolve({ created: true, sizeBytes: 4211 });
    const renderer = { render: () => Promise.resolve(new Uint8Array()) };
    const published: OutboxRow[] = [];
    const publish = async (rows: OutboxRow[]) => void published.push(...rows);
    const now = new Date('2026-11-21T12:00:06.000Z');
    const service = new ReceiptsService(renderer, files, publish, () => now);
    const paid = example('order.paid');
    await service.storeReceipt(paid.id, paidOrder.parse(paid.data));

    const { data, type, subject } = example('receipt.stored');
    expect(published).toMatchObject([{ topic: 'receipts', key: subject, event: { type, subject } }]);
    const { url, ...rest } = published[0]!.event.data as { url: string };
    const { url: urlOfExample, ...restOfExample } = data;
    expect(rest).toEqual(restOfExample);
    // The contract leaves the bucket in the path and the parameters of the signature to the store.
    expect(new URL(url).host).toBe(new URL(String(urlOfExample)).host);
    expect(url).toContain(String(data['key']));
    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('604800');
  });
});
