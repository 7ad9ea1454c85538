import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { OutboxRow } from '@cairn/messaging';
import {
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { randomUUID } from 'node:crypto';
import { aConfig } from './config.fixture.ts';
import { FilesStore } from './files.store.ts';
import type { PaidOrder } from './receipt.ts';
import { ReceiptsService } from './receipts.service.ts';
import { RenderPool } from './render.pool.ts';

/** Real: the S3 server, the threads, the SDK. Not real: the broker; what would be published is collected. */
const env = (name: string) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; "npm test" sets it`);
  return value;
};
const options = aConfig({
  S3_ENDPOINT: env('S3_ENDPOINT'),
  S3_REGION: env('S3_REGION'),
  S3_ACCESS_KEY_ID: env('S3_ACCESS_KEY_ID'),
  S3_SECRET_ACCESS_KEY: env('S3_SECRET_ACCESS_KEY'),
  S3_BUCKET: `test-${randomUUID()}`,
});
const Bucket = options.S3_BUCKET;
const s3 = new S3Client({
  endpoint: options.S3_ENDPOINT,
  region: options.S3_REGION,
  credentials: { accessKeyId: options.S3_ACCESS_KEY_ID, secretAccessKey: options.S3_SECRET_ACCESS_KEY },
  forcePathStyle: true,
});
const files = new FilesStore(options);
const renderer = new RenderPool({ threads: 2, timeoutMs: 10_000 });
let published: OutboxRow[] = [];
const service = new ReceiptsService(renderer, files, async (rows) => void published.push(...rows));

const anOrder = (): PaidOrder => ({
  orderId: randomUUID(),
  customerId: 'alice',
  email: 'alice@example.com',
  currency: 'EUR',
  total: 2100,
  lines: [{ name: 'Mountain tea', quantity: 2, unitPrice: 1050 }],
  paidAt: '2026-11-21T12:00:05.000Z',
});
const keys = async (prefix = '') => {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: prefix }));
  return Contents.map(({ Key }) => Key!);
};
const read = async (key: string) => {
  const { Body, ContentType } = await s3.send(new GetObjectCommand({ Bucket, Key: key }));
  return { bytes: Buffer.from(await Body!.transformToByteArray()), type: ContentType };
};

beforeAll(async () => {
  expect(await files.ensureBucket()).toBe(true);
  expect(await files.ensureBucket()).toBe(false);
});
beforeEach(() => {
  published = [];
});
afterAll(async () => {
  for (const Key of await keys()) await s3.send(new DeleteObjectCommand({ Bucket, Key }));
  await s3.send(new DeleteBucketCommand({ Bucket }));
  await renderer.close();
  files.close();
  s3.destroy();
});

describe('the worker', () => {
  it('stores one receipt for an order that is delivered twice, at once and again, and announces it under one id', async () => {
    const order = anOrder();
    const messageId = randomUUID();
    await Promise.all([1, 2].map(() => service.storeReceipt(messageId, order)));
    const key = `receipts/2026/11/21/${order.orderId}.pdf`;
    const first = await read(key);
    await service.storeReceipt(messageId, order);

    expect((await keys('receipts/')).filter((each) => each.includes(order.orderId))).toEqual([key]);
    expect((await read(key)).bytes.equals(first.bytes)).toBe(true);
    expect(first.type).toBe('application/pdf');
    expect(published).toHaveLength(3);
    expect(new Set(published.map(({ event }) => event.id)).size).toBe(1);
    for (const { event } of published)
      expect(event.data).toMatchObject({ key, sizeBytes: first.bytes.length });
  });

  it('gives a link that opens the receipt without credentials, and only that file', async () => {
    await service.storeReceipt(randomUUID(), anOrder());
    const { url } = published[0]!.event.data as { url: string };
    expect(url).not.toContain('checksum');
    const reply = await fetch(url);
    expect(reply.status).toBe(200);
    expect(await reply.text()).toContain('%PDF-1');
    expect((await fetch(url.replace('.pdf', '.txt'))).status).toBe(403);
  });

  it('renders the next receipt after a thread has crashed, and stores nothing for the one that failed', async () => {
    const bad = { ...anOrder(), lines: [{ name: 'x', quantity: 1, unitPrice: 1 }] };
    const crashing = new ReceiptsService(
      { render: (receipt) => renderer.render({ ...receipt, paidAt: 'never' }) },
      files,
      async (rows) => void published.push(...rows),
    );
    await expect(crashing.storeReceipt(randomUUID(), bad)).rejects.toThrow('thread crashed');
    expect(published).toEqual([]);
    await service.storeReceipt(randomUUID(), anOrder());
    expect(published).toHaveLength(1);
  });

  it('says of a broker that does not acknowledge that waiting helps', async () => {
    const service = new ReceiptsService(renderer, files, () => Promise.reject(new Error('no leader')));
    await expect(service.storeReceipt(randomUUID(), anOrder())).rejects.toMatchObject({
      transient: true,
    });
  });

  it('stores the report of a day once and never changes it', async () => {
    const day = { date: '2026-11-20', totals: [{ currency: 'EUR', orders: 12, total: 45_210 }] };
    await service.storeSalesReport(day);
    await service.storeSalesReport({ ...day, totals: [] });
    const { bytes, type } = await read('reports/sales/2026-11-20.json');
    expect(type).toBe('application/json');
    expect(JSON.parse(bytes.toString())).toMatchObject({ totals: [{ orders: 12, total: 45_210 }] });
  });
});

describe('a file store', () => {
  it('keeps the first of two files of one name, and reports its size to the second writer', async () => {
    expect(await files.putOnce('a.txt', Buffer.from('first'), 'text/plain')).toEqual({
      created: true,
      sizeBytes: 5,
    });
    expect(await files.putOnce('a.txt', Buffer.from('the second'), 'text/plain')).toEqual({
      created: false,
      sizeBytes: 5,
    });
    expect((await read('a.txt')).bytes.toString()).toBe('first');
  });

  it('lets exactly one of many writers win', async () => {
    const puts = Array.from({ length: 8 }, (_, i) =>
      files.putOnce('race', Buffer.from(`${i}`), 'text/plain'),
    );
    const created = (await Promise.all(puts)).filter((put) => put.created);
    expect(created).toHaveLength(1);
  });

  it('calls an outage transient and a missing bucket not', async () => {
    const away = new FilesStore({ ...options, S3_ENDPOINT: 'http://127.0.0.1:1' });
    const elsewhere = new FilesStore({ ...options, S3_BUCKET: 'no-such-bucket' });
    const put = (store: FilesStore) => store.putOnce('k', Buffer.from('x'), 'text/plain');
    await expect(put(away)).rejects.toMatchObject({ code: 'storage_failed', transient: true });
    await expect(put(elsewhere)).rejects.toMatchObject({ code: 'storage_failed', transient: false });
    away.close();
    elsewhere.close();
  });
});
